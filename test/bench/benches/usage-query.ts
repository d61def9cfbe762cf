import type { Bench } from '../bench.ts';
import { cpuSecondsOf, ownCpuSeconds } from '../processes.ts';
import { comparisonReading, figureReading } from '../reading.ts';
import { alternate, type Side } from '../rounds.ts';
import { medianOf } from '../statistics.ts';
import { makeCustomer, makeMeter, month, organizationOf, storeUsage, subjectOf } from '../stored-usage.ts';
import { withWholeProduct, type WholeProduct } from '../whole-product.ts';

// One customer's month by day through GET /usage, against the same sum over raw events with the hour first in their key and a JSON
// extraction per row. First with few customers stored, then with many: each has a thousand events, so the growth is other people's.

const eventsPerCustomer = 1_000;
const customers = { short: { few: 100, many: 1_000 }, long: { few: 1_000, many: 10_000 } } as const;
const customersCopiedAtOnce = 500;
const queriesPerRound = 8;
const eventType = 'bench.query';

interface Usage {
  readonly data: readonly { readonly window_start: string; readonly value: string }[];
}

export const usageQuery: Bench = {
  name: 'usage-query',
  run: ({ isShort, rounds, say }) =>
    withWholeProduct(async (whole) => {
      const { few, many } = isShort ? customers.short : customers.long;
      await makeRawTable(whole);
      await store(whole, { fromCustomer: 0, toCustomer: few });
      const small = ourSide(whole, await makeMeter(whole, { key: 'bytes-few', eventType }));
      for (let round = 0; round < rounds.warmUps + rounds.rounds; round += 1) await small.run();
      const fewMs = medianOf(small.milliseconds);
      await store(whole, { fromCustomer: few, toCustomer: many });
      say(`${many * eventsPerCustomer} events are stored`);
      const large = ourSide(whole, await makeMeter(whole, { key: 'bytes-many', eventType }));
      const pairs = await alternate({ ours: large, floor: floorSide(whole) }, rounds);
      const exponent = Math.log(medianOf(large.milliseconds) / fewMs) / Math.log(many / few);
      return [
        comparisonReading(pairs, { name: 'usage-query', unit: 'queries/s', goal: 'at least 10' }),
        figureReading(large.milliseconds, { name: 'usage-query p50', unit: 'ms', goal: 'at most 40' }),
        figureReading([exponent], { name: `usage-query: growth exponent, ${few}k to ${many}k events`, unit: '', goal: 'at most 0.2' }),
      ];
    }),
};

async function makeRawTable({ clickHouse }: WholeProduct): Promise<void> {
  await clickHouse.command({
    query: `CREATE TABLE bench_raw (organization_id LowCardinality(String), event_type LowCardinality(String), subject String, time DateTime64(6, 'UTC'), id String, data String CODEC(ZSTD(1)))
            ENGINE = MergeTree PARTITION BY toYYYYMM(time) ORDER BY (organization_id, event_type, toStartOfHour(time), subject)`,
  });
}

/** From the first customer, inclusive, to the last, exclusive. */
interface CustomerRange {
  readonly fromCustomer: number;
  readonly toCustomer: number;
}

/** The customers' events, the same beside them raw, and the first of the customers, who are asked for. */
async function store(whole: WholeProduct, { fromCustomer, toCustomer }: CustomerRange): Promise<void> {
  await storeUsage(whole, { eventType, eventsPerCustomer, fromCustomer, toCustomer });
  for (let from = fromCustomer; from < toCustomer; from += customersCopiedAtOnce) {
    await whole.clickHouse.command({
      query: `INSERT INTO bench_raw SELECT organization_id, event_type, subject, time, id, data FROM events
        WHERE position >= ${from * eventsPerCustomer} AND position < ${Math.min(from + customersCopiedAtOnce, toCustomer) * eventsPerCustomer} AND event_type = '${eventType}' SETTINGS async_insert = 0`,
    });
  }
  for (let customer = fromCustomer; customer < Math.min(toCustomer, fromCustomer + queriesPerRound); customer += 1) await makeCustomer(whole, customer);
}

function ourSide(whole: WholeProduct, meter: string): Side & { readonly milliseconds: number[] } {
  const milliseconds: number[] = [];
  let answers: string[] = [];
  return {
    milliseconds,
    async run() {
      answers = [];
      for (let customer = 0; customer < queriesPerRound; customer += 1) {
        const startedAt = performance.now();
        const usage = await whole.product.expect<Usage>(200, `GET /v1/meters/${meter}/usage?from=${month.from}&to=${month.to}&customer=customer-${customer}&window=day`);
        milliseconds.push(performance.now() - startedAt);
        answers.push(usage.data.map(({ window_start: day, value }) => `${day.slice(0, 10)} ${value}`).join('\n'));
      }
      return queriesPerRound;
    },
    answer: async () => answers.join('\n\n'),
    cpuSeconds: () => cpuSecondsOf(whole.pids()),
  };
}

function floorSide(whole: WholeProduct): Side {
  let answers: string[] = [];
  return {
    async run() {
      answers = [];
      const organizationId = await organizationOf(whole);
      for (let customer = 0; customer < queriesPerRound; customer += 1) {
        const result = await whole.clickHouse.query({
          query: `SELECT toString(toDate(time)) AS day, toString(sum(toDecimal128OrNull(JSONExtractString(data, 'bytes'), 18))) AS value FROM bench_raw
            WHERE organization_id = {organization:String} AND event_type = {type:String} AND subject = {subject:String}
              AND time >= parseDateTime64BestEffort({from:String}, 6, 'UTC') AND time < parseDateTime64BestEffort({to:String}, 6, 'UTC') GROUP BY day ORDER BY day`,
          query_params: { organization: organizationId, type: eventType, subject: subjectOf(customer), from: month.from, to: month.to },
          format: 'JSONEachRow',
        });
        answers.push((await result.json<{ day: string; value: string }>()).map(({ day, value }) => `${day} ${value}`).join('\n'));
      }
      return queriesPerRound;
    },
    answer: async () => answers.join('\n\n'),
    cpuSeconds: () => ownCpuSeconds() + cpuSecondsOf([whole.clickHousePid()]),
  };
}
