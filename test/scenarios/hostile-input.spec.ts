import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith, isLongForm, runsOf } from '#testing';
import { hostileBodies, type HostileBody, type MakeBody } from './hostile/bodies.js';
import { doors, type Door, type GoodEntry } from './hostile/doors.js';
import { giantBodies } from './hostile/giants.js';
import { eventually, isAlive, Product, testKey } from './product.js';

// Goal: whatever a sender posts, no answer is an error of ours, no good entry beside it is lost, nothing falls over, and memory
// stays within a bound. Method: generated bodies at every door of a running product, over parallel connections; good entries
// stand among them, and at the end the meters must have counted exactly those, each with its own value.

const bodiesPerDoor = runsOf({ short: 1_000, long: 10_000 });
const bodiesPerTurn = 1_000;
const connectionsMax = 12;
/** Ten mebibytes are in the air for each, and as many inflated: the product refuses more than 64 with a 503. */
const giantConnectionsMax = 3;
/** Of the Node process. It rests at about 350 MiB. */
const memoryBytesMax = 1_400 * 1_024 * 1_024;

const range = 'from=2020-01-01T00:00:00Z&to=2040-01-01T00:00:00Z';

describeWith('clickhouse', 'hostile input', () => {
  let product: Product;
  let session = '';
  let otherKey = '';
  const sent = new Map<Door, GoodEntry[]>();

  beforeAll(async () => {
    product = await Product.start();
    const post = (path: string, body: object) => product.expect(201, `POST ${path}`, { body });
    for (const [key, type, path] of [['plain', 'plain', '$.n'], ['http', 'http.request', '$.bytes']] as const) {
      await post('/v1/meters', { key, name: key, event_type: type, aggregation: 'count' });
      await post('/v1/meters', { key: `${key}-sum`, name: key, event_type: type, aggregation: 'sum', value: path });
    }
    const other = await product.expect<{ api_key: { secret: string } }>(201, 'POST /v1/organizations', { body: { name: 'Letters', mode: 'test' } });
    otherKey = other.api_key.secret;
    // Refused for ever, and refused but for their time: a replay makes letters of the former again.
    const letters = Array.from({ length: 40 }, (_, nth) => ({ id: `letter-${nth}`, type: nth % 2 === 0 ? '' : 'plain', subject: 'a', time: '1999-01-01T00:00:00Z', data: { n: 1 } }));
    await product.expect(202, 'POST /v1/events', { key: otherKey, body: [{ id: 'good', type: 'plain', subject: 'a' }, ...letters] });
    await post('/v1/event-sources', { key: 'hostile', name: 'Hostile', format: 'json', mapping: { id: '$.job.id', subject: '$.account', data: { n: '$.usage.n' } }, defaults: { type: 'plain' } });
  }, 120_000);
  afterAll(async () => {
    await product?.dispose();
  }, 90_000);

  /** What is wrong with the answer; null where nothing is. */
  async function faultOf(door: Door, { kind, bytes, headers, neighbours }: HostileBody): Promise<string | null> {
    const answer = await fetch(product.url + door.path, { method: 'POST', headers: { authorization: `Bearer ${door.needsSession === true ? session : door.ofOthers === true ? otherKey : testKey}`, ...headers }, body: bytes as Uint8Array<ArrayBuffer> })
      .catch((error: unknown) => {
        if (door.refusesUnread === true && bytes.length > 1_000_000) return null;
        throw new Error(`${door.name}: ${kind} of ${bytes.length} bytes was not answered.`, { cause: error });
      });
    if (answer === null) return null;
    const text = await answer.text();
    const isWrong = neighbours > 0 ? !door.statuses.includes(answer.status) : answer.status >= 500 || [401, 403, 429].includes(answer.status);
    const isRefused = door.takesAnything === true && answer.status >= 400 && answer.status !== 413 && headers['content-encoding'] === undefined && headers['tollway-version'] === undefined;
    return isWrong || isRefused ? `${kind} (${JSON.stringify(headers)}) ${bytes.subarray(0, 300).toString()} … ${bytes.length} bytes → ${answer.status} ${text.slice(0, 300)}` : null;
  }

  async function sendAll(door: Door, bodies: readonly MakeBody[], connections: number): Promise<string[]> {
    const entries = sent.get(door) ?? [];
    sent.set(door, entries);
    const next = (): GoodEntry => {
      const entry = { id: `${doors.indexOf(door)}-${entries.length}`, subject: `neighbour-${doors.indexOf(door)}` };
      entries.push(entry);
      return entry;
    };
    const faults: string[] = [];
    const waiting = bodies.values();
    await Promise.all(Array.from({ length: connections }, async () => {
      for (const make of waiting) {
        const fault = await faultOf(door, make(next));
        if (fault !== null) faults.push(fault);
      }
    }));
    return faults;
  }

  it.each(doors.map((door, index) => [door.name, door, index] as const))(`${bodiesPerDoor} bodies at %s`, async (_name, door, index) => {
    const faults: string[] = [];
    for (let turn = 0; turn < bodiesPerDoor / bodiesPerTurn; turn += 1) {
      // A session lasts for fifteen minutes, and the long form for an hour.
      session = (await product.expect<{ authentication_token: string }>(200, 'POST /v2/billing/meter_event_session', { body: {} })).authentication_token;
      const giants = giantBodies(door, { size: isLongForm ? 8_000_000 : 2_000_000, turn: index + turn });
      faults.push(...await sendAll(door, giants, giantConnectionsMax));
      faults.push(...await sendAll(door, fc.sample(hostileBodies(door), bodiesPerTurn - giants.length), connectionsMax));
    }
    expect(faults.slice(0, 5)).toEqual([]);
  });

  it('has cost no neighbour', async () => {
    const corrected = ['void', 'amend'].map((source) => ({ source, entries: sent.get(doors.find(({ path }) => path === `/v1/events/${source}`) as Door) ?? [] }));
    for (const { source, entries } of corrected) {
      for (let at = 0; at < entries.length; at += 1_000) {
        const events = entries.slice(at, at + 1_000).map(({ id, subject }) => ({ id, source, type: 'plain', subject, data: { n: '1.50' } }));
        await product.expect(202, 'POST /v1/events', { body: events });
      }
    }
    const usage = async (meter: string, door: Door) => {
      const { data } = await product.expect<{ data: { value: string }[] }>(200, `GET /v1/meters/${meter}/usage?${range}&subject=neighbour-${doors.indexOf(door)}`);
      return data[0]?.value ?? '0';
    };
    const expected = [...sent].flatMap(([door, { length }]): [string, Door, string, string][] => {
      if (door.path === '/v1/events/void') return [['plain', door, '0', '0']];
      if (door.path === '/v1/events/amend') return [['plain', door, String(length), String(length * 2.5)]];
      if (door.counted === null) return [];
      return [[door.counted.meter, door, String(length), String(length * Number(door.counted.each))]];
    });
    expect(expected.every(([, door]) => (sent.get(door)?.length ?? 0) >= bodiesPerDoor / 4)).toBe(true);
    let found: string[] = [];
    const wanted = expected.map(([, { name, counted }, count, sum]) => `${name}: ${count}, ${counted?.each === null ? '' : sum}`);
    await eventually('the meters count every good entry once', async () => {
      found = await Promise.all(expected.map(async ([meter, door]) => `${door.name}: ${await usage(meter, door)}, ${door.counted?.each === null ? '' : await usage(`${meter}-sum`, door)}`));
      return found.join() === wanted.join();
    }, 120_000).catch(() => undefined);
    expect(found).toEqual(wanted);
  }, 180_000);

  it('has left the product as it was', async () => {
    expect([isAlive(product.pid), (await product.call('GET /readyz')).status, product.output().match(/.*(?:unhandled|"level":(?:50|60)).*/gi) ?? []]).toEqual([true, 200, []]);
    if (process.platform !== 'linux') return;
    const peak = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${product.pid}/status`, 'utf8'))?.[1]) * 1_024;
    console.log(`hostile input: ${Math.round(peak / 1_048_576)} MiB at most`);
    expect(peak).toBeLessThan(memoryBytesMax);
  });
});
