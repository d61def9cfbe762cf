import { aggregatorGroup, topics } from '#contracts';
import { postBacklog } from '../backlog.ts';
import type { Bench } from '../bench.ts';
import { startChildServer } from '../child-server.ts';
import { startPacedLoad } from '../paced-load.ts';
import type { Reading } from '../reading.ts';
import { figureReading } from '../reading.ts';
import { until } from '../running-product.ts';
import { spreadOf } from '../statistics.ts';
import { withWholeProduct, type WholeProduct } from '../whole-product.ts';

// The product was away while 2,000 events a second came in; then it drains what piled up while as many keep coming. Drained is
// when everything that was acknowledged before it came back is counted.

const eventsPerSecond = 2_000;
const awaySeconds = { short: 15, long: 600 } as const;
const rounds = { short: 1, long: 2 } as const;
const secondsMax = 600;

interface Usage {
  readonly data: readonly { readonly value: string }[];
}

export const catchUp: Bench = {
  name: 'catch-up',
  run: ({ isShort, say }) =>
    withWholeProduct(async (whole) => {
      const ingest = await startChildServer('./ingest-server.ts', { BENCH_DATABASE_URL: whole.stores.postgres.url });
      try {
        await whole.product.expect(201, 'POST /v1/meters', { key: 'calls', name: 'Calls', event_type: 'api.request', aggregation: 'count' });
        const backlog = eventsPerSecond * (isShort ? awaySeconds.short : awaySeconds.long);
        const drained: number[] = [];
        let posted = 0;
        for (let round = 0; round < (isShort ? rounds.short : rounds.long); round += 1) {
          const { seconds, acknowledged } = await drain(whole, { port: ingest.port, backlog, round });
          say(`${backlog} events drained in ${seconds.toFixed(1)} s, ${acknowledged} more taken meanwhile`);
          drained.push(backlog / seconds);
          posted += backlog + acknowledged;
          await until(`usage counts ${posted} events`, async () => (await usageOf(whole)) === String(posted));
        }
        return [readingOf(drained)];
      } finally {
        await ingest.close();
      }
    }),
};

async function drain(whole: WholeProduct, options: { port: number; backlog: number; round: number }): Promise<{ seconds: number; acknowledged: number }> {
  whole.product.pause();
  const wanted = { type: 'api.request', subjects: 500 };
  await postBacklog({ port: options.port, count: options.backlog, prefix: `away${options.round}`, from: Temporal.Now.instant().subtract({ hours: 1 }), ...wanted });
  const backAt = Temporal.Now.instant();
  whole.product.resume();
  const startedAt = performance.now();
  const load = await startPacedLoad({ port: whole.product.port, eventsPerSecond, secondsMax, prefix: `back${options.round}`, ...wanted });
  const consumed = { topic: topics.usageEvents, group: aggregatorGroup };
  await until('the backlog is drained', async () => Temporal.Instant.compare(await whole.log.completeAsOf(consumed), backAt) >= 0, { timeoutMs: secondsMax * 1_000 });
  const seconds = (performance.now() - startedAt) / 1_000;
  return { seconds, acknowledged: (await load.stop()).acknowledged };
}

/** The floor is the rate at which events come in. */
function readingOf(drained: readonly number[]): Reading {
  return {
    ...figureReading(drained, { name: 'catch-up', unit: 'events/s', goal: 'at least 5' }),
    floor: spreadOf([eventsPerSecond]),
    ratio: spreadOf(drained.map((rate) => rate / eventsPerSecond)),
  };
}

async function usageOf({ product }: WholeProduct): Promise<string> {
  const now = Temporal.Now.instant();
  const query = new URLSearchParams({ from: now.subtract({ hours: 24 }).toString({ smallestUnit: 'second' }), to: now.add({ hours: 2 }).toString({ smallestUnit: 'second' }) });
  return (await product.expect<Usage>(200, `GET /v1/meters/calls/usage?${query}`)).data[0]?.value ?? '0';
}
