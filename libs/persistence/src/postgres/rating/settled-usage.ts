import type { EntityManager } from 'typeorm';
import type { Rounding } from '#domain';
import type { ClosedPeriod } from './late-rating.js';
import type { PeriodKey } from './period-key.js';

/** A closed period with the generation of its last rating. */
export interface ClosedRating extends ClosedPeriod {
  readonly generation: bigint;
}

/** These periods as they were closed; those that are open are left out. */
export async function readClosedRatings(manager: EntityManager, keys: readonly PeriodKey[]): Promise<ClosedRating[]> {
  const rows: {
    subscription_id: string; period_index: number; plan_id: string; plan_version: number; rounding: Rounding | null; period_start: string; period_end: string; generation: string;
  }[] = await manager.query(
    `select rated.* from rated_periods rated join (select distinct * from unnest($1::text[], $2::int[]) as given (subscription_id, period_index)) wanted using (subscription_id, period_index)
     where is_final order by subscription_id collate "C", period_index`,
    [keys.map(({ subscriptionId }) => subscriptionId), keys.map(({ periodIndex }) => periodIndex)],
  );
  return rows.map((row) => ({
    subscriptionId: row.subscription_id, periodIndex: row.period_index, planId: row.plan_id, planVersion: row.plan_version, rounding: row.rounding,
    start: Temporal.Instant.from(row.period_start), end: Temporal.Instant.from(row.period_end), generation: BigInt(row.generation),
  }));
}

/** Late usage that a line of an invoice settled. */
export interface SettledByLine extends PeriodKey {
  readonly lineId: string;
  readonly priceId: string;
  /** Of the rated line. */
  readonly ref: string;
  readonly generation: bigint;
  /** Of what was settled of the period before it; null where that is its last rating alone. */
  readonly generationBefore: bigint | null;
  /** What the period's invoice and all settlements up to this one come to, for this price and group: what all usage came to then. */
  readonly reached: { readonly quantity: string; readonly unroundedAmount: string; readonly amountMinor: bigint };
}

/** What the adjustments of an invoice settled. */
export async function readSettledByLines(manager: EntityManager, invoiceId: string): Promise<SettledByLine[]> {
  const rows: {
    line_id: string; subscription_id: string; period_index: number; price_id: string; ref: string; generation: string; generation_before: string | null;
    quantity: string; unrounded_amount: string; amount_minor: string;
  }[] = await manager.query(
    `select late.line_id, late.subscription_id, late.period_index, late.price_id, late.ref, late.generation::text as generation,
       (select max(earlier.generation)::text from late_settlements earlier
         where earlier.subscription_id = late.subscription_id and earlier.period_index = late.period_index and earlier.generation < late.generation) as generation_before,
       (coalesce(closed.quantity, 0) + reached.quantity)::text as quantity, (coalesce(closed.unrounded_amount, 0) + reached.unrounded_amount)::text as unrounded_amount,
       (coalesce(closed.amount_minor, 0) + reached.amount_minor)::text as amount_minor
     from late_settlements late
     left join rated_lines closed on closed.subscription_id = late.subscription_id and closed.period_index = late.period_index
       and closed.price_id = late.price_id and closed.ref = late.ref and closed.kind = 'usage'
     cross join lateral (
       select sum(quantity) as quantity, sum(unrounded_amount) as unrounded_amount, sum(billed_minor + absorbed_minor) as amount_minor from late_settlements so_far
       where so_far.subscription_id = late.subscription_id and so_far.period_index = late.period_index and so_far.price_id = late.price_id and so_far.ref = late.ref
         and so_far.generation <= late.generation) reached
     where late.invoice_id = $1 and late.line_id is not null order by late.id`,
    [invoiceId],
  );
  return rows.map((row) => ({
    lineId: row.line_id, subscriptionId: row.subscription_id, periodIndex: row.period_index, priceId: row.price_id, ref: row.ref,
    generation: BigInt(row.generation), generationBefore: row.generation_before === null ? null : BigInt(row.generation_before),
    reached: { quantity: row.quantity, unroundedAmount: row.unrounded_amount, amountMinor: BigInt(row.amount_minor) },
  }));
}
