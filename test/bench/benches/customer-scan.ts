import type { Bench } from '../bench.ts';
import { cpuSecondsOf, ownCpuSeconds } from '../processes.ts';
import { comparisonReading, figureReading } from '../reading.ts';
import { alternate, type Side } from '../rounds.ts';
import { makeCustomer, makeMeter, month, organizationOf, storeUsage, subjectOf } from '../stored-usage.ts';
import { clickHouseText, withWholeProduct, type WholeProduct } from '../whole-product.ts';

// What every customer used in a month, by one meter, through GET /usage by customer, which reads rollups. Against the exact sum over the
// same raw events with FINAL. One event in a hundred is stored twice, as an insert leaves it whose answer was lost: who does not
// tell copies apart gives other digits.

const eventsPerCustomer = 10_000; // About 14 in each hour.
const customers = { short: 100, long: 1_000 } as const;
const scansPerRound = 4;
const storedTwice = 100;
const customersAtOnce = 8; // Requests at once while they are made.
const eventType = 'bench.scan';

interface Usage {
  readonly data: readonly { readonly customer: string | null; readonly value: string }[];
}

export const customerScan: Bench = {
  name: 'customer-scan',
  run: ({ isShort, rounds, say }) =>
    withWholeProduct(async (whole) => {
      const count = isShort ? customers.short : customers.long;
      await storeUsage(whole, { eventType, eventsPerCustomer, fromCustomer: 0, toCustomer: count });
      await whole.clickHouse.command({ query: `INSERT INTO events SELECT * FROM events WHERE event_type = '${eventType}' AND position % ${storedTwice} = 0 SETTINGS async_insert = 0` });
      const subjects = await makeCustomers(whole, count);
      const meter = await makeMeter(whole, { key: 'bytes', eventType });
      say(`${count} customers, ${await clickHouseText(whole.clickHouse, `SELECT count() FROM events WHERE event_type = '${eventType}'`)} rows of events, ${await clickHouseText(whole.clickHouse, 'SELECT count() FROM usage_rollups')} of rollups`);
      const ours = ourSide(whole, { meter, subjects });
      const pairs = await alternate({ ours, floor: floorSide(whole, await organizationOf(whole)) }, rounds);
      return [
        comparisonReading(pairs, { name: 'customer-scan', unit: 'scans/s', goal: 'at least 5' }),
        figureReading(ours.milliseconds, { name: 'customer-scan p50', unit: 'ms', goal: '' }),
      ];
    }),
};

/** The subject of each customer's id. */
async function makeCustomers(whole: WholeProduct, count: number): Promise<ReadonlyMap<string, string>> {
  const subjects = new Map<string, string>();
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const customer = next++;
      subjects.set(await makeCustomer(whole, customer), subjectOf(customer));
    }
  };
  await Promise.all(Array.from({ length: customersAtOnce }, work));
  return subjects;
}

function ourSide(whole: WholeProduct, { meter, subjects }: { readonly meter: string; readonly subjects: ReadonlyMap<string, string> }): Side & { readonly milliseconds: number[] } {
  const milliseconds: number[] = [];
  let answers: string[] = [];
  return {
    milliseconds,
    async run() {
      answers = [];
      for (let scan = 0; scan < scansPerRound; scan += 1) {
        const startedAt = performance.now();
        const { data } = await whole.product.expect<Usage>(200, `GET /v1/meters/${meter}/usage?from=${month.from}&to=${month.to}&group_by=customer`);
        milliseconds.push(performance.now() - startedAt);
        answers.push(linesOf(data.map(({ customer, value }) => [subjects.get(customer ?? '') ?? 'nobody', value])));
      }
      return scansPerRound;
    },
    answer: async () => answers.join('\n\n'),
    cpuSeconds: () => cpuSecondsOf(whole.pids()),
  };
}

function floorSide({ clickHouse, clickHousePid }: WholeProduct, organizationId: string): Side {
  let answers: string[] = [];
  return {
    async run() {
      answers = [];
      for (let scan = 0; scan < scansPerRound; scan += 1) {
        const result = await clickHouse.query({
          query: `SELECT subject, toString(sum(toDecimal128OrNull(JSONExtractString(data, 'bytes'), 18))) AS value FROM events FINAL
            WHERE organization_id = {organization:String} AND event_type = {type:String}
              AND time >= parseDateTime64BestEffort({from:String}, 6, 'UTC') AND time < parseDateTime64BestEffort({to:String}, 6, 'UTC') GROUP BY subject`,
          query_params: { organization: organizationId, type: eventType, from: month.from, to: month.to },
          format: 'JSONEachRow',
        });
        answers.push(linesOf((await result.json<{ subject: string; value: string }>()).map(({ subject, value }) => [subject, value])));
      }
      return scansPerRound;
    },
    answer: async () => answers.join('\n\n'),
    cpuSeconds: () => ownCpuSeconds() + cpuSecondsOf([clickHousePid()]),
  };
}

/** A line for each subject, in an order that both sides have. */
function linesOf(values: readonly (readonly [subject: string, value: string])[]): string {
  return values.map(([subject, value]) => `${subject} ${value}`).toSorted().join('\n');
}
