import { subjectBucket } from '#domain';
import type { Bench } from '../bench.ts';
import { cpuSecondsOf, ownCpuSeconds } from '../processes.ts';
import { comparisonReading, figureReading } from '../reading.ts';
import { alternate, type Side } from '../rounds.ts';
import { until } from '../running-product.ts';
import { medianOf } from '../statistics.ts';
import { withWholeProduct, type WholeProduct } from '../whole-product.ts';

// One customer's month by day through GET /usage, against the same sum over raw events with the hour first in their key and a JSON
// extraction per row. First with few customers stored, then with many: each has a thousand events, so the growth is other people's.

const eventsPerCustomer = 1_000;
const customers = { short: { few: 100, many: 1_000 }, long: { few: 1_000, many: 10_000 } } as const;
const customersAtOnce = 500;
const queriesPerRound = 8;
const month = { from: '2026-06-01T00:00:00Z', to: '2026-07-01T00:00:00Z' } as const;
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
      await storeInSteps(whole, { fromCustomer: 0, toCustomer: few });
      const small = ourSide(whole, await makeMeter(whole, 'bytes-few'));
      for (let round = 0; round < rounds.warmUps + rounds.rounds; round += 1) await small.run();
      const fewMs = medianOf(small.milliseconds);
      await storeInSteps(whole, { fromCustomer: few, toCustomer: many });
      say(`${many * eventsPerCustomer} events are stored`);
      const large = ourSide(whole, await makeMeter(whole, 'bytes-many'));
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

/** In statements that end long before their time is up. */
async function storeInSteps(whole: WholeProduct, { fromCustomer, toCustomer }: CustomerRange): Promise<void> {
  for (let from = fromCustomer; from < toCustomer; from += customersAtOnce) await store(whole, { fromCustomer: from, toCustomer: Math.min(from + customersAtOnce, toCustomer) });
  for (let customer = fromCustomer; customer < Math.min(toCustomer, fromCustomer + queriesPerRound); customer += 1) {
    await whole.product.expect(201, 'POST /v1/customers', { key: `customer-${customer}`, name: `Customer ${customer}`, email: 'billing@customer.example', currency: 'USD', subjects: [subjectOf(customer)] });
  }
}

/** Stores the events of these customers as the aggregator would, and the same beside them raw. Written by the engine itself: loading is not measured here. */
async function store(whole: WholeProduct, { fromCustomer, toCustomer }: CustomerRange): Promise<void> {
  const organizationId = await organizationOf(whole);
  const buckets = Array.from({ length: toCustomer - fromCustomer }, (_, index) => subjectBucket(subjectOf(fromCustomer + index)));
  const rows = (toCustomer - fromCustomer) * eventsPerCustomer;
  await whole.clickHouse.command({
    query: `INSERT INTO events (organization_id, event_type, bucket, subject, time, source, id, payload_hash, time_given, received_at, appended_at, partition, position, data, version, is_deleted)
      WITH number % ${toCustomer - fromCustomer} AS customer, intDiv(number, ${toCustomer - fromCustomer}) AS nth, number + ${fromCustomer * eventsPerCustomer} AS event
      SELECT '${organizationId}', '${eventType}', [${buckets.join(',')}][customer + 1], concat('subject-', toString(customer + ${fromCustomer})),
        fromUnixTimestamp64Micro(toInt64(${Temporal.Instant.from(month.from).epochMilliseconds}000 + nth * 2590000000 + customer * 1009), 'UTC'), 'gw-eu-1', concat('event-', toString(event)),
        hex(SHA256(toString(event))), true, now64(6), now64(6), 0, event,
        concat('{"bytes":', toString(200 + cityHash64(event) % 5000), ',"latency_ms":', toString(event % 400), ',"route":"/v1/geocode","status":200}'), bitShiftLeft(toUInt64(1), 62) - 1 - event, 0
      FROM numbers(${rows}) SETTINGS async_insert = 0`,
  });
  await whole.clickHouse.command({
    query: `INSERT INTO bench_raw SELECT organization_id, event_type, subject, time, id, data FROM events
      WHERE position >= ${fromCustomer * eventsPerCustomer} AND position < ${toCustomer * eventsPerCustomer} AND event_type = '${eventType}' SETTINGS async_insert = 0`,
  });
}

/** A meter over what is stored; resolves when it is read from its rollups. */
async function makeMeter({ product, pool }: WholeProduct, key: string): Promise<string> {
  const meter = await product.expect<{ id: string }>(201, 'POST /v1/meters', { key, name: 'Bytes', event_type: eventType, aggregation: 'sum', value: '$.bytes' });
  await until('the rollups are built', async () => (await pool.query('SELECT FROM meter_rollups WHERE meter_id = $1', [meter.id])).rowCount === 1);
  return key;
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

function subjectOf(customer: number): string {
  return `subject-${customer}`;
}

async function organizationOf({ pool }: WholeProduct): Promise<string> {
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM organizations WHERE is_bootstrap');
  return rows[0]?.id ?? '';
}
