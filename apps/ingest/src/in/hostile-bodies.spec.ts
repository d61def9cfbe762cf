import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nastyJson, runsOf } from '#testing';
import { useIngest } from '../ingest-fixture.js';

// A thousand bodies at every door of a whole product: test/scenarios/hostile-input.spec.ts. Here a failure shrinks to the least one.

const ingest = useIngest();

const field = fc.constantFrom('id', 'source', 'type', 'subject', 'time', 'data', '__proto__', 'events', 'specversion', 'other');
const nastyEvent = fc.oneof(
  nastyJson,
  fc.array(fc.tuple(field, nastyJson), { maxLength: 6 }).map((members) => `{${members.map(([name, value]) => `"${name}":${value}`).join(',')}}`),
  nastyJson.map((value) => `{"id":"n","type":"t","subject":"s","data":{"n":${value}}}`),
  nastyJson.map((value) => `{"id":"n","type":"t","subject":"s","time":${value}}`),
);

let made = 0;
const neighbour = (): { id: string; json: string } => {
  made += 1;
  return { id: `neighbour-${made}`, json: `{"id":"neighbour-${made}","type":"t","subject":"s","data":{"n":1.50}}` };
};

describe('hostile events', () => {
  // Goal: a nasty event harms no other. Method: it stands between two good ones, which must be in the log with their data.
  it.each(['application/json', 'application/x-ndjson'])('never lose a neighbour in %s', async (type) => {
    const posted: string[] = [];
    await fc.assert(
      fc.asyncProperty(fc.array(nastyEvent, { minLength: 1, maxLength: 3 }), async (nastyEvents) => {
        const [first, last] = [neighbour(), neighbour()];
        const texts = [first.json, ...nastyEvents, last.json];
        const body = type === 'application/json' ? `[${texts.join(',')}]` : texts.join('\n');
        const answer = await ingest().post('/v1/events', body, { 'content-type': type });
        expect(answer.status).toBe(202);
        expect(answer.body.accepted + answer.body.rejected.length).toBe(texts.length);
        expect(answer.body.rejected.every(({ index }) => index > 0 && index < texts.length - 1)).toBe(true);
        posted.push(first.id, last.id);
      }),
      { numRuns: runsOf({ short: 100, long: 2_500 }) },
    );
    const data = new Map((await ingest().events()).map((event) => [event.id, event.data]));
    expect(posted.filter((id) => data.get(id) !== '{"n":1.5}')).toEqual([]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('bodies with the worst that they may hold', () => {
  const inEvent = (data: string): string => `[{"id":"w","type":"t","subject":"s","data":${data}},${neighbour().json}]`;
  const size = 1_900_000;

  it.each<[string, string]>([
    ['brackets in brackets', '['.repeat(size / 2) + ']'.repeat(size / 2)],
    ['many numbers', `{"n":1e30,"a":[${'1,'.repeat(size / 2 - 20)}1]}`],
    ['many exponents', `{"n":[${'1e40,'.repeat(size / 5 - 20)}1]}`],
    ['many digits', `{"n":${'9'.repeat(size)}}`],
    ['a long exponent', `{"n":1e${'9'.repeat(size)}}`],
    ['many escapes', `{"n":"${'\\"'.repeat(size / 2)}","m":1e5}`],
    ['many members', `{${Array.from({ length: 200_000 }, (_, at) => `"k${at}":${at}`).join(',')}}`],
  ])('are answered in time: %s', async (_name, data) => {
    expect(await ingest().post('/v1/events', inEvent(data))).toMatchObject({ status: 202, body: { accepted: 1, rejected: [{ index: 0, id: 'w' }] } });
  });

  // Goal: what takes a hundred times its size in memory is not read at all. Method: one value more than a request may have, in each form.
  it('are refused as a whole where they hold too many values, however they are sent', async () => {
    const values = `[${'1,'.repeat(1_000_000)}1]`;
    const half = `[${'1,'.repeat(500_000)}1]`;
    const record = Buffer.from(half).toString('base64');
    const refused = { status: 413, body: { code: 'too_many_values' } };
    expect(await ingest().post('/v1/events', inEvent(values))).toMatchObject(refused);
    expect(await ingest().post('/v1/events', `{"n":${half}}\n{"n":${half}}`, { 'content-type': 'application/x-ndjson' })).toMatchObject(refused);
    expect(await ingest().post('/v1/ingest/kong', `[${values}]`)).toMatchObject(refused);
    expect(await ingest().post('/v1/ingest/aws-api-gateway', `{"requestId":"r","records":[{"data":"${record}"},{"data":"${record}"}]}`)).toMatchObject({ status: 413 });
    expect(await ingest().post('/v1/logs', values)).toMatchObject({ status: 413 });
    // Brackets and commas in texts are none, nor are those of lines that are no JSON.
    expect(await ingest().post('/v1/events', inEvent(`"${'[\\",'.repeat(500_000)}"`))).toMatchObject({ status: 202, body: { accepted: 1 } });
    expect(await ingest().post('/v1/ingest/combined', `${'[,'.repeat(1_000_000)}\n`, { 'content-type': 'text/plain' })).toMatchObject({ status: 202 });
  });
});
