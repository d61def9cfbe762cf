import type { EntityManager } from 'typeorm';
import { assert } from '#platform';
import type { PeriodKey } from './period-key.js';

/** What one price earned on one local day of the customer. */
export interface RatedDay {
  readonly priceId: string;
  readonly priceKey: string;
  readonly day: string;
  readonly dayStart: Temporal.Instant;
  readonly quantity: string;
  readonly amountMinor: bigint;
  readonly currency: string;
}

/** A period with the days of all its prices. */
interface DatedPeriod extends PeriodKey {
  readonly organizationId: string;
  readonly customerId: string;
  readonly planId: string;
  /** Of each price in their order. */
  readonly days: readonly RatedDay[];
}

/** Writes the days of periods in the caller's transaction, those of one price in one row. Of a period that is rated again many days are as they were: rows that did not change are left alone. */
export async function writeRatedDays(manager: EntityManager, periods: readonly DatedPeriod[]): Promise<void> {
  await deleteVanishedPrices(manager, periods);
  const { rows, calendars } = toRows(periods);
  if (rows.length === 0) return;
  await manager.query(
    `insert into rated_days (organization_id, subscription_id, period_index, customer_id, plan_id, price_id, price_key, currency, days, day_starts, quantities, amounts_minor, first_start, last_start)
     select organization_id, subscription_id, period_index, customer_id, plan_id, price_id, price_key, currency, days, day_starts, quantities, amounts_minor, day_starts[1], day_starts[cardinality(day_starts)]
     from json_to_recordset($1::json) as given (organization_id text, subscription_id text, period_index int, customer_id text, plan_id text, price_id text, price_key text, currency text,
       calendar int, quantities numeric[], amounts_minor numeric[])
     join json_to_recordset($2::json) as calendars (calendar int, days date[], day_starts timestamptz[]) using (calendar)
     where not exists (
       select from rated_days kept where kept.subscription_id = given.subscription_id and kept.period_index = given.period_index and kept.price_id = given.price_id
         and (kept.customer_id, kept.plan_id, kept.price_key, kept.currency, kept.days, kept.day_starts, kept.quantities, kept.amounts_minor)
           = (given.customer_id, given.plan_id, given.price_key, given.currency, calendars.days, calendars.day_starts, given.quantities, given.amounts_minor))
     on conflict (subscription_id, period_index, price_id) do update set
       customer_id = excluded.customer_id, plan_id = excluded.plan_id, price_key = excluded.price_key, currency = excluded.currency, days = excluded.days,
       day_starts = excluded.day_starts, quantities = excluded.quantities, amounts_minor = excluded.amounts_minor, first_start = excluded.first_start, last_start = excluded.last_start`,
    [JSON.stringify(rows), JSON.stringify(calendars)],
  );
}

/** Prices that a period had when it was rated before, and has no more. */
async function deleteVanishedPrices(manager: EntityManager, periods: readonly DatedPeriod[]): Promise<void> {
  await manager.query(
    `delete from rated_days rated using unnest($1::text[], $2::int[], $3::text[]) as written (subscription_id, period_index, prices)
     where rated.subscription_id = written.subscription_id and rated.period_index = written.period_index and not (rated.price_id = any (string_to_array(written.prices, ',')))`,
    [
      periods.map(({ subscriptionId }) => subscriptionId), periods.map(({ periodIndex }) => periodIndex),
      periods.map(({ days }) => [...new Set(days.map(({ priceId }) => priceId))].join(',')),
    ],
  );
}

/** Prices of a period have the same days, and so have most periods of a block: those are said once, as a calendar. */
function toRows(periods: readonly DatedPeriod[]) {
  const calendars = new Map<string, { calendar: number; days: string; day_starts: string }>();
  const rows = periods.flatMap((period) => [...Map.groupBy(period.days, ({ priceId }) => priceId)].map(([priceId, days]) => {
    const [first] = days;
    assert(first !== undefined, 'A price of a period has days.');
    return {
      organization_id: period.organizationId, subscription_id: period.subscriptionId, period_index: period.periodIndex, customer_id: period.customerId, plan_id: period.planId,
      price_id: priceId, price_key: first.priceKey, currency: first.currency, calendar: calendarOf(days, calendars),
      quantities: arrayOf(days, ({ quantity }) => quantity), amounts_minor: arrayOf(days, ({ amountMinor }) => amountMinor.toString()),
    };
  }));
  return { rows, calendars: [...calendars.values()] };
}

function calendarOf(days: readonly RatedDay[], calendars: Map<string, { calendar: number; days: string; day_starts: string }>): number {
  const name = days.map(({ day, dayStart }) => `${day} ${dayStart.epochNanoseconds}`).join();
  const known = calendars.get(name);
  if (known !== undefined) return known.calendar;
  assert(days.every(({ dayStart }, index) => index === 0 || Temporal.Instant.compare(days[index - 1]?.dayStart ?? dayStart, dayStart) < 0), 'The days of a price stand in their order.');
  const made = { calendar: calendars.size, days: arrayOf(days, ({ day }) => day), day_starts: arrayOf(days, ({ dayStart }) => dayStart.toString()) };
  calendars.set(name, made);
  return made.calendar;
}

/** An array as Postgres writes it, of values that need no quotes. */
function arrayOf(days: readonly RatedDay[], valueOf: (day: RatedDay) => string): string {
  return `{${days.map(valueOf).join(',')}}`;
}
