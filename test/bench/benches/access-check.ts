import { setTimeout as wait } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import { startChildServer } from '../child-server.ts';
import { getRequest, HttpLoad, type HttpAnswer } from '../http-load.ts';
import { benchKey } from '../ingest-setting.ts';
import { startPacedLoad } from '../paced-load.ts';
import { cpuSecondsOf } from '../processes.ts';
import { comparisonReading, figureReading } from '../reading.ts';
import { alternate, type Side } from '../rounds.ts';
import type { RunningProduct } from '../running-product.ts';
import { percentileOf } from '../statistics.ts';
import { withWholeProduct } from '../whole-product.ts';

// GET /v1/customers/{id}/access/{feature} of many customers in turn while their usage comes in, against a bare Fastify route that
// answers from a map. Then the same at a steady rate, for how long a caller waits.

const connections = 16;
const customers = 50;
/** Enough that every customer's usage changes, few enough that counting is not what is measured; its CPU is counted with ours all the same. */
const eventsPerSecond = 200;
const secondsMax = 600;
const checks = { short: 3_000, long: 20_000 } as const;
const checksPerSecond = 1_000;
const pacedSeconds = { short: 5, long: 30 } as const;

const request = (index: number): Buffer => getRequest({ path: `/v1/customers/customer-${index % customers}/access/calls`, key: benchKey });
const isAllowed = ({ status, body }: HttpAnswer): boolean => status === 200 && body.includes('"allowed":true');

export const accessCheck: Bench = {
  name: 'access-check',
  async run({ isShort, rounds, say }) {
    return withWholeProduct(async ({ product, pids }) => {
      await subscribeAll(product);
      const bare = await startChildServer('./bare-access-server.ts', {});
      const flow = await startPacedLoad({ port: product.port, eventsPerSecond, secondsMax, prefix: 'flow', type: 'api.request', subjects: customers });
      const [ourLoad, bareLoad] = await Promise.all([product.port, bare.port].map((port) => HttpLoad.open({ port, connections })));
      if (ourLoad === undefined || bareLoad === undefined) throw new Error('There are two loads.');
      try {
        const count = isShort ? checks.short : checks.long;
        const pairs = await alternate({ ours: sideOf(ourLoad, { count, pids }), floor: sideOf(bareLoad, { count, pids: () => [bare.pid] }) }, rounds);
        const waited = await pacedChecks(ourLoad, isShort ? pacedSeconds.short : pacedSeconds.long);
        say(`${Math.round(waited.perSecond)} checks a second were answered at the steady rate`);
        return [
          comparisonReading(pairs, { name: 'access-check', unit: 'checks/s', goal: 'CPU at most 2' }),
          figureReading([percentileOf(waited.milliseconds, 99)], { name: 'access-check p99', unit: 'ms', goal: 'at most 5 at 1 000/s' }),
          figureReading([percentileOf(waited.milliseconds, 50)], { name: 'access-check p50', unit: 'ms', goal: '–' }),
          figureReading([waited.perSecond], { name: 'access-check: rate reached', unit: 'checks/s', goal: '1 000' }),
        ];
      } finally {
        ourLoad.close();
        bareLoad.close();
        await flow.stop();
        await bare.close();
      }
    });
  },
};

async function subscribeAll(product: RunningProduct): Promise<void> {
  await product.expect(201, 'POST /v1/meters', { key: 'calls', name: 'Calls', event_type: 'api.request', aggregation: 'count' });
  await product.expect(201, 'POST /v1/features', { key: 'calls', name: 'Calls', meter: 'calls' });
  await product.expect(201, 'POST /v1/plans', {
    key: 'pro', name: 'Pro', currency: 'USD', billing_period: 'P1M',
    prices: [{ key: 'calls', name: 'Calls', type: 'usage', meter: 'calls', included_units: '1000', model: { type: 'per_unit', unit_amount: '0.001' } }],
    entitlements: [{ feature: 'calls', type: 'metered', limit: '1000000000' }],
  });
  for (let index = 0; index < customers; index += 1) {
    await product.expect(201, 'POST /v1/customers', { key: `customer-${index}`, name: 'Customer', subjects: [`subject-${index}`] });
    await product.expect(201, 'POST /v1/subscriptions', { customer: `customer-${index}`, plan: 'pro' });
  }
}

function sideOf(load: HttpLoad, { count, pids }: { count: number; pids: () => readonly number[] }): Side {
  const requests = Array.from({ length: count }, (_, index) => request(index));
  let answered = 0;
  return {
    async prepare() {
      await load.sendAll(requests.slice(0, customers), isAllowed);
    },
    async run() {
      await load.sendAll(requests, isAllowed);
      answered = requests.length;
      return answered;
    },
    answer: async () => String(answered),
    cpuSeconds: () => cpuSecondsOf(pids()),
  };
}

/** A check a millisecond, each timed from when it was due: a caller does not wait for those before it. */
async function pacedChecks(load: HttpLoad, seconds: number): Promise<{ milliseconds: number[]; perSecond: number }> {
  const total = seconds * checksPerSecond;
  const milliseconds: number[] = [];
  const startedAt = performance.now();
  let next = 0;
  await Promise.all(load.perConnection().map(async (worker) => {
    while (next < total) {
      const nth = next;
      next += 1;
      const dueAt = startedAt + (nth * 1_000) / checksPerSecond;
      const early = dueAt - performance.now();
      if (early > 0) await wait(early);
      await worker.sendAll([request(nth)], isAllowed);
      milliseconds.push(performance.now() - dueAt);
    }
  }));
  return { milliseconds, perSecond: (total * 1_000) / (performance.now() - startedAt) };
}
