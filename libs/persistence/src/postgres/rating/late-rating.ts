import type { EntityManager } from 'typeorm';
import type { Rounding } from '#domain';
import { Fault } from '#platform';
import { toStoredGroup } from '../group-values.js';
import type { PeriodKey } from './period-key.js';
import type { RatedPeriod } from './rated-period.js';
import { saveUsageBases } from './usage-basis-table.js';
import { toProofColumns } from './usage-proof-columns.js';

/** A closed period whose usage may have changed, with what it was rated by. */
export interface ClosedPeriod extends PeriodKey {
  readonly planId: string;
  readonly planVersion: number;
  /** Null where it was closed before that was kept. */
  readonly rounding: Rounding | null;
  readonly start: Temporal.Instant;
  readonly end: Temporal.Instant;
}

/** The closed periods of these subscriptions that end after their earliest changed usage, in order; at most `limit`. */
export async function readChangedClosedPeriods(manager: EntityManager, wanted: { subscriptionIds: readonly string[]; limit: number }): Promise<readonly ClosedPeriod[]> {
  const rows: { subscription_id: string; period_index: number; plan_id: string; plan_version: number; rounding: Rounding | null; period_start: string; period_end: string }[] = await manager.query(
    `select rated.subscription_id, rated.period_index, rated.plan_id, rated.plan_version, rated.rounding, rated.period_start, rated.period_end
     from rated_periods rated join rating_due due using (subscription_id)
     where rated.subscription_id = any($1::text[]) and rated.is_final and rated.period_end > due.late_from
     order by rated.subscription_id collate "C", rated.period_index limit $2`,
    [wanted.subscriptionIds, wanted.limit],
  );
  return rows.map((row) => ({
    subscriptionId: row.subscription_id, periodIndex: row.period_index, planId: row.plan_id, planVersion: row.plan_version, rounding: row.rounding,
    start: Temporal.Instant.from(row.period_start), end: Temporal.Instant.from(row.period_end),
  }));
}

/**
 * Stores what closed periods come to now, beside their last rating, which stays as it is. Of two ratings the later generation
 * stands. A period that comes to what it was closed with, and never to anything else, is not kept.
 */
export async function saveLateRatings(manager: EntityManager, rated: readonly RatedPeriod[]): Promise<void> {
  if (rated.length === 0) return;
  const overtaken = await holdOvertaken(manager, rated);
  const periods = rated.filter((period) => !overtaken.has(period.subscriptionId));
  const changed = await findChangedRatings(manager, periods);
  if (changed.length === 0) return;
  if (changed.some(lacksProof)) throw new Fault({ code: 'ratings_moved', detail: 'A late rating that stood when the digests were read has been replaced meanwhile.', retryable: true });
  const taken: { subscription_id: string; period_index: number }[] = await manager.query(
    `insert into late_ratings as late (organization_id, subscription_id, period_index, generation, complete_as_of, rated_at)
     select * from json_to_recordset($1::json) as given (organization_id text, subscription_id text, period_index int, generation bigint, complete_as_of timestamptz, rated_at timestamptz)
     order by subscription_id, period_index
     on conflict (subscription_id, period_index) do update set
       generation = excluded.generation, complete_as_of = excluded.complete_as_of, rated_at = excluded.rated_at
     where late.generation <= excluded.generation
     returning subscription_id, period_index`,
    [JSON.stringify(changed.map((period) => ({
      organization_id: period.organizationId, subscription_id: period.subscriptionId, period_index: period.periodIndex,
      generation: period.generation.toString(), complete_as_of: period.completeAsOf.toString(), rated_at: period.ratedAt.toString(),
    })))],
  );
  const written = new Set(taken.map((row) => keyOf({ subscriptionId: row.subscription_id, periodIndex: row.period_index })));
  const kept = changed.filter((period) => written.has(keyOf(period)));
  await manager.query(
    `delete from late_rated_lines using unnest($1::text[], $2::int[]) as written (subscription_id, period_index)
     where late_rated_lines.subscription_id = written.subscription_id and late_rated_lines.period_index = written.period_index`,
    [kept.map(({ subscriptionId }) => subscriptionId), kept.map(({ periodIndex }) => periodIndex)],
  );
  await manager.query(
    `insert into late_rated_lines (organization_id, subscription_id, period_index, ordinal, price_id, price_key, ref, group_values, description, quantity, unrounded_amount, amount_minor, trace, usage_events, usage_digest)
     select * from json_to_recordset($1::json) as given (organization_id text, subscription_id text, period_index int, ordinal int, price_id text, price_key text, ref text,
       group_values jsonb, description text, quantity numeric, unrounded_amount numeric, amount_minor numeric, trace jsonb, usage_events numeric, usage_digest text)`,
    [JSON.stringify(kept.flatMap(toLineRows))],
  );
  for (const [organizationId, periods] of Map.groupBy(kept, (period) => period.organizationId)) await saveUsageBases(manager, { organizationId, periods, isLate: true });
}

/** Subscriptions that were rated at a later generation meanwhile. All are held, so that one rating after the other decides what to keep. */
async function holdOvertaken(manager: EntityManager, periods: readonly RatedPeriod[]): Promise<Set<string>> {
  const generations = new Map(periods.map(({ subscriptionId, generation }) => [subscriptionId, generation]));
  const rows: { subscription_id: string; rated_generation: string }[] = await manager.query(
    `select subscription_id, rated_generation from rating_due where subscription_id = any($1::text[]) order by subscription_id for update`, [[...generations.keys()]]);
  return new Set(rows.filter((row) => BigInt(row.rated_generation) > (generations.get(row.subscription_id) ?? 0n)).map((row) => row.subscription_id));
}

const keyOf = (key: PeriodKey): string => `${key.subscriptionId}/${key.periodIndex}`;

function usageOf(period: RatedPeriod) {
  return period.lines.filter(({ kind }) => kind === 'usage');
}

function toLineRows(period: RatedPeriod): Record<string, unknown>[] {
  return usageOf(period).map((line, ordinal) => ({
    organization_id: period.organizationId, subscription_id: period.subscriptionId, period_index: period.periodIndex, ordinal,
    price_id: line.priceId, price_key: line.priceKey, ref: line.ref, group_values: toStoredGroup(line.group), description: line.description,
    quantity: line.quantity, unrounded_amount: line.unroundedAmount, amount_minor: line.amountMinor.toString(), trace: line.trace, ...toProofColumns(line.usage),
  }));
}

/** Those that come to something else than their periods were closed with, or take the place of a late rating. The others are not kept. */
export async function findChangedRatings(manager: EntityManager, rated: readonly RatedPeriod[]): Promise<readonly RatedPeriod[]> {
  if (rated.length === 0) return [];
  const unchanged = await readUnchanged(manager, rated);
  return rated.filter((period) => !unchanged.has(keyOf(period)));
}

/** Of ratings that can be made again, each line has the digest of its events. */
function lacksProof(period: RatedPeriod): boolean {
  return period.basis !== undefined && usageOf(period).some(({ usage }) => usage === undefined);
}

/** Keys of those periods that are as they were closed and have no late rating yet. */
async function readUnchanged(manager: EntityManager, periods: readonly RatedPeriod[]): Promise<Set<string>> {
  const rows = periods.flatMap(toLineRows);
  const unchanged: { subscription_id: string; period_index: number }[] = await manager.query(
    `with given as (select * from json_to_recordset($1::json) as line (subscription_id text, period_index int, price_id text, ref text, quantity numeric, amount_minor numeric)),
       wanted as (select * from unnest($2::text[], $3::int[]) as period (subscription_id, period_index)),
       closed as (select rated.subscription_id, rated.period_index, price_id, ref, quantity, amount_minor from rated_lines rated join wanted using (subscription_id, period_index) where kind = 'usage')
     select subscription_id, period_index from wanted
     where not exists (select from late_ratings late where late.subscription_id = wanted.subscription_id and late.period_index = wanted.period_index)
       and not exists (
         select from (select * from given except select * from closed union all (select * from closed except select * from given)) difference
         where difference.subscription_id = wanted.subscription_id and difference.period_index = wanted.period_index)`,
    [JSON.stringify(rows), periods.map(({ subscriptionId }) => subscriptionId), periods.map(({ periodIndex }) => periodIndex)],
  );
  return new Set(unchanged.map((row) => keyOf({ subscriptionId: row.subscription_id, periodIndex: row.period_index })));
}
