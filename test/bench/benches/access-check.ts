import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import { startChildServer } from '../child-server.ts';
import { getRequest, HttpLoad, postRequest, type HttpAnswer } from '../http-load.ts';
import { benchKey } from '../ingest-setting.ts';
import { startPacedLoad } from '../paced-load.ts';
import { cpuSecondsOf } from '../processes.ts';
import { comparisonReading, figureReading } from '../reading.ts';
import { alternate, type Side } from '../rounds.ts';
import type { RunningProduct } from '../running-product.ts';
import { percentileOf } from '../statistics.ts';
import { withWholeProduct } from '../whole-product.ts';

// GET /v1/customers/{id}/access/{feature} of many customers in turn while their usage comes in, against a bare Fastify route that answers
// the same from a map. What one in five may use is used up. Then the same at a steady rate, for how long a caller waits.

const connections = 16;
const customers = 50;
const usedUpEvery = 5;
/** Enough that every customer's usage changes all the time. What counting it costs is in our CPU. */
const eventsPerSecond = 200;
const secondsMax = 600;
const checks = { short: 3_000, long: 20_000 } as const;
const checksPerSecond = 1_000;
const pacedSeconds = { short: 5, long: 30 } as const;
/** So many times as long as they should take, after which no more are sent: the bench ends on any machine. */
const pacedPatience = 3;
const countedTimeoutMs = 60_000;

const pathOf = (index: number): string => `/v1/customers/customer-${index % customers}/access/calls`;
const isUsedUp = (index: number): boolean => (index % customers) % usedUpEvery === 0;

interface CheckBody {
  readonly object: string;
  readonly customer: string;
  readonly feature_key: string;
  readonly allowed: boolean;
  readonly code: string | null;
  readonly limit: string;
  readonly plan_key: string;
}

export const accessCheck: Bench = {
  name: 'access-check',
  async run({ isShort, rounds, say }) {
    return withWholeProduct(async ({ product, pids }) => {
      await subscribeAll(product);
      const bare = await startChildServer('./bare-access-server.ts', {});
      const flow = await startPacedLoad({ port: product.port, eventsPerSecond, secondsMax, prefix: 'flow', type: 'api.request', subjects: customers });
      const [ourLoad, bareLoad] = [await HttpLoad.open({ port: product.port, connections }), await HttpLoad.open({ port: bare.port, connections })];
      try {
        await teach(bareLoad, await settledAnswers(product));
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
  for (const [key, limit] of [['pro', '1000000000'], ['free', '1']]) {
    await product.expect(201, 'POST /v1/plans', {
      key, name: key, currency: 'USD', billing_period: 'P1M',
      prices: [{ key: 'calls', name: 'Calls', type: 'usage', meter: 'calls', included_units: '1000', model: { type: 'per_unit', unit_amount: '0.001' } }],
      entitlements: [{ feature: 'calls', type: 'metered', limit }],
    });
  }
  for (let index = 0; index < customers; index += 1) {
    await product.expect(201, 'POST /v1/customers', { key: `customer-${index}`, name: 'Customer', subjects: [`subject-${index}`] });
    await product.expect(201, 'POST /v1/subscriptions', { customer: `customer-${index}`, plan: isUsedUp(index) ? 'free' : 'pro' });
  }
}

/** What each customer is answered once the first of the usage is counted; what of it changes afterwards is only how much was used. */
async function settledAnswers(product: RunningProduct): Promise<readonly object[]> {
  const deadline = performance.now() + countedTimeoutMs;
  for (;;) {
    const answers: CheckBody[] = [];
    for (let index = 0; index < customers; index += 1) answers.push(await product.expect<CheckBody>(200, `GET ${pathOf(index)}`));
    if (answers.every(({ allowed }, index) => allowed !== isUsedUp(index))) return answers;
    if (performance.now() > deadline) throw new Error(`What was used was not counted within ${countedTimeoutMs} ms.`);
  }
}

async function teach(load: HttpLoad, answers: readonly object[]): Promise<void> {
  const requests = answers.map((answer, index) => postRequest({ path: pathOf(index), key: benchKey, body: JSON.stringify(answer) }));
  await load.sendAll(requests, { status: 200, body: '{"accepted":true}' });
}

function sideOf(load: HttpLoad, { count, pids }: { count: number; pids: () => readonly number[] }): Side {
  const requests = Array.from({ length: count }, (_, index) => getRequest({ path: pathOf(index), key: benchKey }));
  let said: string[] = [];
  return {
    async prepare() {
      await load.sendAll(requests.slice(0, customers), isCheck);
      said = [];
    },
    async run() {
      await load.sendAll(requests, (answer) => {
        said.push(answer.body);
        return isCheck(answer);
      });
      return requests.length;
    },
    answer: async () => {
      const told = said.map((body) => {
        const { object, customer, feature_key: feature, allowed, code, limit, plan_key: plan } = JSON.parse(body) as CheckBody;
        return [object, customer, feature, allowed, code, limit, plan].join(' ');
      });
      return createHash('sha256').update(told.sort().join('\n')).digest('hex');
    },
    cpuSeconds: () => cpuSecondsOf(pids()),
  };
}

const isCheck = ({ status, body }: HttpAnswer): boolean => status === 200 && body.startsWith('{"object":"access"');

/** A check a millisecond, each timed from when it was due: a caller does not wait for those before it. */
async function pacedChecks(load: HttpLoad, seconds: number): Promise<{ milliseconds: number[]; perSecond: number }> {
  const total = seconds * checksPerSecond;
  const milliseconds: number[] = [];
  const startedAt = performance.now();
  const lastAt = startedAt + seconds * pacedPatience * 1_000;
  let next = 0;
  await Promise.all(load.perConnection().map(async (worker) => {
    while (next < total && performance.now() < lastAt) {
      const nth = next;
      next += 1;
      const dueAt = startedAt + (nth * 1_000) / checksPerSecond;
      const early = dueAt - performance.now();
      if (early > 0) await wait(early);
      await worker.sendAll([getRequest({ path: pathOf(nth), key: benchKey })], isCheck);
      milliseconds.push(performance.now() - dueAt);
    }
  }));
  return { milliseconds, perSecond: (milliseconds.length * 1_000) / (performance.now() - startedAt) };
}
