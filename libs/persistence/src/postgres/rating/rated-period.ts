import type { EntityManager } from 'typeorm';
import type { LineUsageProof, PeriodThreshold, Rounding } from '#domain';
import type { UsageBasis } from '../../clickhouse/usage-basis.js';
import { fromStoredGroup, toStoredGroup } from '../group-values.js';
import type { PeriodKey } from './period-key.js';
import { writeRatedDays, type RatedDay } from './rated-days.js';
import { saveUsageBases } from './usage-basis-table.js';
import { fromProofColumns, toProofColumns, type ProofColumns } from './usage-proof-columns.js';

/** One step of how an amount came about; decimals as text. */
export interface RatedTraceStep {
  readonly step: string;
  readonly detail: string;
  readonly values: Readonly<Record<string, string>>;
  readonly quantity: string;
  readonly amount: string;
  readonly adds: string;
}

export interface ReachedThreshold extends PeriodThreshold {
  readonly currency: string;
}

/** One price (or one group of one price) applied to a period's quantity. */
export interface RatedLine {
  readonly priceId: string;
  readonly priceKey: string;
  readonly ref: string;
  readonly group: Readonly<Record<string, string>>;
  readonly kind: 'usage' | 'advance' | 'arrears';
  readonly description: string;
  readonly quantity: string;
  readonly unroundedAmount: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly trace: readonly RatedTraceStep[];
  /** Of the events that it is made of; absent where there are none, or where nobody asked. */
  readonly usage?: LineUsageProof | undefined;
}

export interface RatedPeriod {
  readonly organizationId: string;
  readonly subscriptionId: string;
  readonly periodIndex: number;
  readonly customerId: string;
  readonly planId: string;
  readonly planVersion: number;
  readonly rounding: Rounding;
  readonly start: Temporal.Instant;
  readonly end: Temporal.Instant;
  readonly isFinal: boolean;
  readonly completeAsOf: Temporal.Instant;
  readonly generation: bigint;
  readonly ratedAt: Temporal.Instant;
  readonly lines: readonly RatedLine[];
  readonly days: readonly RatedDay[];
  /** Bounds of its prices that its usage has reached. Left out, none. */
  readonly thresholds?: readonly ReachedThreshold[] | undefined;
  /** What its usage was read by, where that is to be kept. */
  readonly basis?: UsageBasis | undefined;
}

const keyOf = (key: PeriodKey): string => `${key.subscriptionId}/${key.periodIndex}`;

/**
 * Stores rated periods with their lines and days in the caller's transaction. A final period is never written again, and of open ones
 * a rating that began earlier never replaces a later one. Returns the periods that were written.
 */
export async function saveRatedPeriods(manager: EntityManager, periods: readonly RatedPeriod[]): Promise<readonly RatedPeriod[]> {
  if (periods.length === 0) return [];
  const taken: { subscription_id: string; period_index: number }[] = await manager.query(
    `insert into rated_periods as rated (organization_id, subscription_id, period_index, customer_id, plan_id, plan_version, rounding,
       period_start, period_end, is_final, complete_as_of, generation, rated_at)
     select * from json_to_recordset($1::json) as given (organization_id text, subscription_id text, period_index int, customer_id text, plan_id text, plan_version int, rounding text,
       period_start timestamptz, period_end timestamptz, is_final boolean, complete_as_of timestamptz, generation bigint, rated_at timestamptz)
     order by subscription_id, period_index
     on conflict (subscription_id, period_index) do update set
       customer_id = excluded.customer_id, plan_id = excluded.plan_id, plan_version = excluded.plan_version, rounding = excluded.rounding,
       period_start = excluded.period_start, period_end = excluded.period_end, is_final = excluded.is_final,
       complete_as_of = excluded.complete_as_of, generation = excluded.generation, rated_at = excluded.rated_at
     where not rated.is_final and (excluded.is_final or rated.generation <= excluded.generation)
     returning subscription_id, period_index`,
    [JSON.stringify(periods.map(toPeriodRow))],
  );
  const written = new Set(taken.map((row) => keyOf({ subscriptionId: row.subscription_id, periodIndex: row.period_index })));
  const kept = periods.filter((period) => written.has(keyOf(period)));
  if (kept.length === 0) return [];
  await manager.query(
    `delete from rated_lines using unnest($1::text[], $2::int[]) as written (subscription_id, period_index)
     where rated_lines.subscription_id = written.subscription_id and rated_lines.period_index = written.period_index`,
    [kept.map(({ subscriptionId }) => subscriptionId), kept.map(({ periodIndex }) => periodIndex)],
  );
  await insertLines(manager, kept);
  await writeRatedDays(manager, kept);
  for (const [organizationId, ofOrganization] of Map.groupBy(kept, (period) => period.organizationId)) await saveUsageBases(manager, { organizationId, periods: ofOrganization, isLate: false });
  return kept;
}

function toPeriodRow(period: RatedPeriod): Record<string, unknown> {
  return {
    organization_id: period.organizationId,
    subscription_id: period.subscriptionId,
    period_index: period.periodIndex,
    customer_id: period.customerId,
    plan_id: period.planId,
    plan_version: period.planVersion,
    rounding: period.rounding,
    period_start: period.start.toString(),
    period_end: period.end.toString(),
    is_final: period.isFinal,
    complete_as_of: period.completeAsOf.toString(),
    generation: period.generation.toString(),
    rated_at: period.ratedAt.toString(),
  };
}

async function insertLines(manager: EntityManager, periods: readonly RatedPeriod[]): Promise<void> {
  const rows = periods.flatMap((period) =>
    period.lines.map((line, ordinal) => ({
      organization_id: period.organizationId,
      subscription_id: period.subscriptionId,
      period_index: period.periodIndex,
      ordinal,
      price_id: line.priceId,
      price_key: line.priceKey,
      ref: line.ref,
      group_values: toStoredGroup(line.group),
      kind: line.kind,
      description: line.description,
      quantity: line.quantity,
      unrounded_amount: line.unroundedAmount,
      amount_minor: line.amountMinor.toString(),
      currency: line.currency,
      trace: line.trace,
      ...toProofColumns(line.usage),
    })),
  );
  await manager.query(
    `insert into rated_lines (organization_id, subscription_id, period_index, ordinal, price_id, price_key, ref, group_values, kind, description,
       quantity, unrounded_amount, amount_minor, currency, trace, usage_events, usage_digest)
     select * from json_to_recordset($1::json) as given (organization_id text, subscription_id text, period_index int, ordinal int, price_id text, price_key text,
       ref text, group_values jsonb, kind text, description text, quantity numeric, unrounded_amount numeric, amount_minor numeric, currency text, trace jsonb, usage_events numeric, usage_digest text)`,
    [JSON.stringify(rows)],
  );
}

interface LineRow extends ProofColumns {
  subscription_id: string;
  period_index: number;
  price_id: string;
  price_key: string;
  ref: string;
  group_values: Record<string, string>;
  kind: RatedLine['kind'];
  description: string;
  quantity: string;
  unrounded_amount: string;
  amount_minor: string;
  currency: string;
  trace: RatedTraceStep[];
}

interface PeriodRow {
  subscription_id: string;
  period_index: number;
  period_start: string;
  period_end: string;
  is_final: boolean;
  complete_as_of: string;
}

/** A rated period as invoicing reads it. */
export interface RatedPeriodLines extends PeriodKey {
  readonly start: Temporal.Instant;
  readonly end: Temporal.Instant;
  readonly isFinal: boolean;
  readonly completeAsOf: Temporal.Instant;
  readonly lines: readonly RatedLine[];
}

/** Those of the periods that are rated for the last time. */
export async function readFinalPeriods(manager: EntityManager, keys: readonly PeriodKey[]): Promise<readonly PeriodKey[]> {
  if (keys.length === 0) return [];
  const rows: { subscription_id: string; period_index: number }[] = await manager.query(
    `select subscription_id, period_index from rated_periods join unnest($1::text[], $2::int[]) as wanted (subscription_id, period_index) using (subscription_id, period_index) where is_final`,
    [keys.map(({ subscriptionId }) => subscriptionId), keys.map(({ periodIndex }) => periodIndex)],
  );
  return rows.map((row) => ({ subscriptionId: row.subscription_id, periodIndex: row.period_index }));
}

/** The rated periods with these keys, in the caller's organization; those not rated yet are left out. */
export async function readRatedPeriods(manager: EntityManager, keys: readonly PeriodKey[]): Promise<readonly RatedPeriodLines[]> {
  if (keys.length === 0) return [];
  const given = [keys.map(({ subscriptionId }) => subscriptionId), keys.map(({ periodIndex }) => periodIndex)];
  const wanted = `unnest($1::text[], $2::int[]) as wanted (subscription_id, period_index)`;
  const periods: PeriodRow[] = await manager.query(
    `select rated.* from rated_periods rated join ${wanted} using (subscription_id, period_index)`, given,
  );
  const lines: LineRow[] = await manager.query(
    `select rated.* from rated_lines rated join ${wanted} using (subscription_id, period_index) order by subscription_id, period_index, ordinal`, given,
  );
  const linesByPeriod = Map.groupBy(lines, (row) => keyOf({ subscriptionId: row.subscription_id, periodIndex: row.period_index }));
  return periods.map((row) => {
    const key = { subscriptionId: row.subscription_id, periodIndex: row.period_index };
    return {
      ...key,
      start: Temporal.Instant.from(row.period_start),
      end: Temporal.Instant.from(row.period_end),
      isFinal: row.is_final,
      completeAsOf: Temporal.Instant.from(row.complete_as_of),
      lines: (linesByPeriod.get(keyOf(key)) ?? []).map(toLine),
    };
  });
}

function toLine(row: LineRow): RatedLine {
  return {
    priceId: row.price_id,
    priceKey: row.price_key,
    ref: row.ref,
    group: fromStoredGroup(row.group_values),
    kind: row.kind,
    description: row.description,
    quantity: row.quantity,
    unroundedAmount: row.unrounded_amount,
    amountMinor: BigInt(row.amount_minor),
    currency: row.currency,
    trace: row.trace,
    usage: fromProofColumns(row),
  };
}
