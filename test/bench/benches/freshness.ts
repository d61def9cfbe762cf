import { setTimeout as wait } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import { benchKey } from '../ingest-setting.ts';
import { startPacedLoad } from '../paced-load.ts';
import { figureReading } from '../reading.ts';
import { RunningProduct, until } from '../running-product.ts';
import { percentileOf } from '../statistics.ts';
import { openFolder } from '../stores.ts';

// How long after its 202 an event stands in /usage, while 2,000 events a second come in. Probes are events of a subject each;
// usage is asked for again and again until it has the probe.

const eventsPerSecond = 2_000;
const warmUpMs = 3_000;
const probes = { short: 40, long: 300 } as const;
const probeEveryMs = 200;
const askEveryMs = 25;
const probeTimeoutMs = 30_000;
const secondsMax = 150;

interface Usage {
  readonly data: readonly { readonly value: string }[];
}

export const freshness: Bench = {
  name: 'freshness',
  async run({ isShort, say }) {
    const folder = openFolder();
    try {
      const product = await RunningProduct.start({ dataDir: folder.path, demo: 'off' });
      try {
        return await measure(product, { probeCount: isShort ? probes.short : probes.long, say });
      } finally {
        await product.stop();
      }
    } finally {
      folder.remove();
    }
  },
};

async function measure(product: RunningProduct, { probeCount, say }: { probeCount: number; say: (sentence: string) => void }) {
  await product.expect(201, 'POST /v1/meters', { key: 'calls', name: 'Calls', event_type: 'api.request', aggregation: 'count' });
  const from = Temporal.Now.instant().subtract({ hours: 1 });
  const load = await startPacedLoad({ port: product.port, eventsPerSecond, secondsMax, prefix: 'load', type: 'api.request', subjects: 500 });
  await wait(warmUpMs);
  const delays: Promise<number>[] = [];
  for (let nth = 0; nth < probeCount; nth += 1) {
    delays.push(probe(product, { subject: `probe-${nth}`, from }));
    await wait(probeEveryMs);
  }
  const milliseconds = await Promise.all(delays);
  const reached = await load.stop();
  say(`${Math.round(reached.eventsPerSecond)} events a second were acknowledged`);
  const expected = String(reached.acknowledged + probeCount);
  await until(`usage counts the ${expected} events that were acknowledged`, async () => (await usageOf(product, { from })) === expected);
  return [
    figureReading([percentileOf(milliseconds, 99)], { name: 'freshness p99', unit: 'ms', goal: 'at most 2 000' }),
    figureReading(milliseconds, { name: 'freshness p50', unit: 'ms', goal: 'at most 700' }),
    figureReading([reached.eventsPerSecond], { name: 'freshness: load reached', unit: 'events/s', goal: '2 000' }),
  ];
}

/** Milliseconds from the probe's 202 to the first answer that counts it. */
async function probe(product: RunningProduct, { subject, from }: { subject: string; from: Temporal.Instant }): Promise<number> {
  const event = { id: subject, type: 'api.request', subject };
  const answer = await fetch(`${product.url}/v1/events`, { method: 'POST', headers: { authorization: `Bearer ${benchKey}`, 'content-type': 'application/json' }, body: JSON.stringify(event) });
  const acknowledgedAt = performance.now();
  if (answer.status !== 202) throw new Error(`A probe was answered with ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
  await until(`usage shows ${subject}`, async () => (await usageOf(product, { from, subject })) === '1', { timeoutMs: probeTimeoutMs, everyMs: askEveryMs });
  return performance.now() - acknowledgedAt;
}

async function usageOf(product: RunningProduct, { from, subject }: { from: Temporal.Instant; subject?: string }): Promise<string> {
  const query = new URLSearchParams({ from: from.toString({ smallestUnit: 'second' }), to: from.add({ hours: 3 }).toString({ smallestUnit: 'second' }), ...(subject === undefined ? {} : { subject }) });
  const usage = await product.expect<Usage>(200, `GET /v1/meters/calls/usage?${query}`);
  return usage.data[0]?.value ?? '0';
}
