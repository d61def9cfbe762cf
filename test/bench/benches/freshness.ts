import { setTimeout as wait } from 'node:timers/promises';
import { openBroker, type BenchBroker } from '../bench-broker.ts';
import type { Bench, BenchOptions } from '../bench.ts';
import { startPacedLoad } from '../paced-load.ts';
import { figureReading, type Reading } from '../reading.ts';
import { RunningProduct, until } from '../running-product.ts';
import { percentileOf } from '../statistics.ts';
import { openFolder } from '../stores.ts';

// How long after its 202 an event stands in /usage, while 2,000 events a second come in. Probes are events of one subject, told apart by a
// dimension of the meter. One reader asks again and again for that subject: more of them would measure their own load.

const eventsPerSecond = 2_000;
const warmUpMs = 3_000;
const probes = { short: 30, long: 300 } as const;
const probeEveryMs = 200;
const askEveryMs = 20;
const probesTimeoutMs = 600_000;
const secondsMax = 150;
const probeSubject = 'probe';

interface Usage {
  readonly data: readonly { readonly value: string; readonly group: { readonly probe?: string } }[];
}

export const freshness: Bench = { name: 'freshness', run: (options) => measureOn(null, { name: 'freshness', ...options }) };

/** The same with the log on Kafka. */
export const freshnessKafka: Bench = {
  name: 'freshness-kafka',
  async run(options) {
    const broker = await openBroker();
    try {
      return await measureOn(broker, { name: 'freshness-kafka', ...options });
    } finally {
      await broker.close();
    }
  },
};

async function measureOn(broker: BenchBroker | null, { name, isShort, say }: BenchOptions & { readonly name: string }): Promise<Reading[]> {
  const folder = openFolder();
  try {
    const product = await RunningProduct.start({ dataDir: folder.path, kafkaBroker: broker?.address, demo: 'off' });
    try {
      return await measure(product, { name, probeCount: isShort ? probes.short : probes.long, say });
    } finally {
      await product.stop();
    }
  } finally {
    folder.remove();
  }
}

async function measure(product: RunningProduct, { name, probeCount, say }: { name: string; probeCount: number; say: (sentence: string) => void }): Promise<Reading[]> {
  const meter = { key: 'calls', name: 'Calls', event_type: 'api.request', aggregation: 'count', group_by: { probe: '$.probe' } };
  await product.expect(201, 'POST /v1/meters', meter);
  const load = await startPacedLoad({ port: product.port, eventsPerSecond, secondsMax, prefix: 'load', type: meter.event_type, subjects: 500 });
  await wait(warmUpMs);
  const [acknowledgedAt, seenAt] = await Promise.all([sendProbes(product, probeCount), watchProbes(product, probeCount)]);
  const reached = await load.stop();
  say(`${Math.round(reached.eventsPerSecond)} events a second were acknowledged`);
  const expected = reached.acknowledged + probeCount;
  await until(`usage counts the ${expected} events that were acknowledged`, async () => Number((await usageOf(product, '')).data[0]?.value ?? 0) === expected);
  const milliseconds = [...acknowledgedAt].map(([probe, at]) => (seenAt.get(probe) ?? Infinity) - at);
  return [
    figureReading([percentileOf(milliseconds, 99)], { name: `${name} p99`, unit: 'ms', goal: 'at most 2 000' }),
    figureReading(milliseconds, { name: `${name} p50`, unit: 'ms', goal: 'at most 700' }),
    figureReading([reached.eventsPerSecond], { name: `${name}: load reached`, unit: 'events/s', goal: '2 000' }),
  ];
}

/** When each probe was answered with 202. */
async function sendProbes(product: RunningProduct, count: number): Promise<ReadonlyMap<string, number>> {
  const answered = Array.from({ length: count }, async (_, nth) => {
    await wait(nth * probeEveryMs);
    const probe = `probe-${nth}`;
    await product.expect(202, 'POST /v1/events', { id: probe, type: 'api.request', subject: probeSubject, data: { probe } });
    return [probe, performance.now()] as const;
  });
  return new Map(await Promise.all(answered));
}

/** When each probe was first seen in an answer. */
async function watchProbes(product: RunningProduct, count: number): Promise<ReadonlyMap<string, number>> {
  const seenAt = new Map<string, number>();
  const look = async (): Promise<boolean> => {
    const { data } = await usageOf(product, `&subject=${probeSubject}&group_by=probe`);
    const now = performance.now();
    for (const { group } of data) if (group.probe !== undefined && !seenAt.has(group.probe)) seenAt.set(group.probe, now);
    return seenAt.size === count;
  };
  await until('usage shows every probe', look, { timeoutMs: count * probeEveryMs + probesTimeoutMs, everyMs: askEveryMs });
  return seenAt;
}

function usageOf(product: RunningProduct, query: string): Promise<Usage> {
  const now = Temporal.Now.instant();
  const [from, to] = [now.subtract({ hours: 1 }), now.add({ hours: 2 })].map((instant) => instant.round({ smallestUnit: 'hour', roundingMode: 'floor' }).toString());
  return product.expect<Usage>(200, `GET /v1/meters/calls/usage?from=${from}&to=${to}${query}`);
}
