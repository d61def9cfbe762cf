import type { EntityManager } from 'typeorm';
import { decimal, toPlain, type LateUsageLine, type Period, type SettledLateLine, type TraceStep } from '#domain';
import { ownRows } from '../billing-api/list-rows.js';
import { fromStoredGroup, toStoredGroup } from '../group-values.js';
import type { PeriodKey } from '../rating/period-key.js';
import { fromProofColumns, type ProofColumns } from '../rating/usage-proof-columns.js';
import { timestampText } from './timestamp-text.js';

/** A closed period as rating has it now, with every line of it as it was settled so far. */
export interface OpenLatePeriod extends PeriodKey {
  readonly customerId: string;
  readonly currency: string;
  readonly timeZone: string;
  readonly planId: string;
  readonly planVersion: number;
  readonly period: Period;
  readonly generation: bigint;
  readonly completeAsOf: Temporal.Instant;
  readonly lines: readonly LateUsageLine[];
}

interface LateRow extends ProofColumns {
  subscription_id: string;
  period_index: number;
  customer_id: string;
  currency: string;
  time_zone: string;
  plan_id: string;
  plan_version: number;
  period_start: string;
  period_end: string;
  generation: string;
  complete_as_of: string;
  price_id: string;
  price_key: string;
  ref: string;
  description: string;
  group_values: Record<string, string>;
  quantity: string;
  unrounded_amount: string;
  amount_minor: string;
  trace: TraceStep[] | null;
  settled_quantity: string;
  settled_unrounded: string;
  billed_minor: string;
  absorbed_minor: string;
}

/** One statement, so that all of it is of one moment: what a period comes to now, less its last rating and what was settled since. */
const openLateUsage = `
  with open_period as materialized (
    select late.subscription_id, late.period_index, rated.customer_id, subscription.currency, subscription.time_zone, rated.plan_id, rated.plan_version, rated.period_start, rated.period_end, late.generation, late.complete_as_of
    from late_ratings late
    join rated_periods rated using (subscription_id, period_index)
    join subscriptions subscription on subscription.id = late.subscription_id
    left join late_settled_periods settled using (subscription_id, period_index)
    where late.organization_id = $1 and late.subscription_id = any($2::text[]) and ($3 or late.generation > coalesce(settled.generation, 0))),
  entry as (
    select subscription_id, period_index, price_id, price_key, ref, description, group_values, ordinal, quantity, unrounded_amount, amount_minor, trace, usage_events, usage_digest,
      0::numeric as settled_quantity, 0::numeric as settled_unrounded, 0::numeric as billed_minor, 0::numeric as absorbed_minor
    from late_rated_lines join open_period using (subscription_id, period_index)
    union all
    select subscription_id, period_index, price_id, price_key, ref, description, group_values, null, 0, 0, 0, null, null, null, quantity, unrounded_amount, amount_minor, 0
    from rated_lines join open_period using (subscription_id, period_index) where kind = 'usage'
    union all
    select subscription_id, period_index, price_id, price_key, ref, description, group_values, null, 0, 0, 0, null, null, null, quantity, unrounded_amount, billed_minor, absorbed_minor
    from late_settlements line join open_period using (subscription_id, period_index))
  select open_period.*, price_id, min(price_key) as price_key, ref, min(description) as description, (array_agg(group_values))[1] as group_values,
    sum(quantity)::text as quantity, sum(unrounded_amount)::text as unrounded_amount, sum(amount_minor)::text as amount_minor, (array_agg(trace) filter (where trace is not null))[1] as trace,
    max(usage_events)::text as usage_events, max(usage_digest) as usage_digest,
    sum(settled_quantity)::text as settled_quantity, sum(settled_unrounded)::text as settled_unrounded, sum(billed_minor)::text as billed_minor, sum(absorbed_minor)::text as absorbed_minor
  from open_period join entry using (subscription_id, period_index)
  group by subscription_id, period_index, customer_id, currency, time_zone, plan_id, plan_version, period_start, period_end, generation, complete_as_of, price_id, ref
  order by subscription_id, period_index, min(ordinal) nulls last, price_id, ref collate "C"`;

/** The closed periods of these subscriptions whose latest rating is not settled; `all` gives the settled ones too. In order of period. */
export async function readLatePeriods(manager: EntityManager, wanted: { organizationId: string; subscriptionIds: readonly string[]; all?: boolean }): Promise<OpenLatePeriod[]> {
  if (wanted.subscriptionIds.length === 0) return [];
  const rows: LateRow[] = await manager.query(openLateUsage, [wanted.organizationId, wanted.subscriptionIds, wanted.all ?? false]);
  return [...Map.groupBy(rows, (row) => `${row.subscription_id}/${row.period_index}`).values()].flatMap((ofPeriod) => {
    const [first] = ofPeriod;
    return first === undefined ? [] : [toLatePeriod(first, ofPeriod)];
  });
}

function toLatePeriod(row: LateRow, rows: readonly LateRow[]): OpenLatePeriod {
  return {
    subscriptionId: row.subscription_id,
    periodIndex: row.period_index,
    customerId: row.customer_id,
    currency: row.currency,
    timeZone: row.time_zone,
    planId: row.plan_id,
    planVersion: row.plan_version,
    period: { start: Temporal.Instant.from(row.period_start), end: Temporal.Instant.from(row.period_end) },
    generation: BigInt(row.generation),
    completeAsOf: Temporal.Instant.from(row.complete_as_of),
    lines: rows.map(toLine),
  };
}

function toLine(row: LateRow): LateUsageLine {
  return {
    priceId: row.price_id,
    priceKey: row.price_key,
    ref: row.ref,
    description: row.description,
    groupValues: fromStoredGroup(row.group_values),
    quantity: decimal(row.quantity),
    unroundedAmount: decimal(row.unrounded_amount),
    amountMinor: BigInt(row.amount_minor),
    trace: row.trace ?? [],
    usage: fromProofColumns(row),
    settled: {
      quantity: decimal(row.settled_quantity), unroundedAmount: decimal(row.settled_unrounded),
      billedMinor: BigInt(row.billed_minor), absorbedMinor: BigInt(row.absorbed_minor),
    },
  };
}

/** What is done with the late usage of one period. */
export interface LateSettlement {
  readonly late: Omit<OpenLatePeriod, 'lines'>;
  readonly settled: readonly (SettledLateLine & { readonly lineId: string | null })[];
  /** Null where nothing of it is on a document. */
  readonly invoiceId: string | null;
  /** The local day on which a report shows it. */
  readonly day: string;
  readonly dayStart: Temporal.Instant;
  readonly settledAt: Temporal.Instant;
}

/** Notes what became of late usage. In the transaction of the document that bears it, under the lock on the organization's numbers. */
export async function saveLateSettlements(manager: EntityManager, saved: { organizationId: string; settlements: readonly LateSettlement[] }): Promise<void> {
  const { organizationId, settlements } = saved;
  if (settlements.length === 0) return;
  await manager.query(
    `insert into late_settled_periods as known (organization_id, subscription_id, period_index, generation)
     select $1, * from unnest($2::text[], $3::int[], $4::bigint[])
     on conflict (subscription_id, period_index) do update set generation = greatest(known.generation, excluded.generation)`,
    [organizationId, settlements.map(({ late }) => late.subscriptionId), settlements.map(({ late }) => late.periodIndex), settlements.map(({ late }) => late.generation.toString())],
  );
  await manager.query(
    `insert into late_settlements (organization_id, customer_id, subscription_id, period_index, period_start, period_end, plan_id, price_id, price_key, ref, group_values, description,
       generation, complete_as_of, quantity, unrounded_amount, billed_minor, absorbed_minor, currency, invoice_id, line_id, day, day_start, settled_at)
     select $1, given.* from json_to_recordset($2::json) as given (customer_id text, subscription_id text, period_index int, period_start timestamptz, period_end timestamptz, plan_id text,
       price_id text, price_key text, ref text, group_values jsonb, description text, generation bigint, complete_as_of timestamptz, quantity numeric, unrounded_amount numeric,
       billed_minor numeric, absorbed_minor numeric, currency text, invoice_id text, line_id text, day date, day_start timestamptz, settled_at timestamptz)`,
    [organizationId, JSON.stringify(settlements.flatMap(toRows))],
  );
}

function toRows({ late, settled, ...settlement }: LateSettlement): Record<string, unknown>[] {
  return settled.map(({ line, lineId, ...changed }) => ({
    customer_id: late.customerId, subscription_id: late.subscriptionId, period_index: late.periodIndex,
    period_start: timestampText(late.period.start), period_end: timestampText(late.period.end), plan_id: late.planId,
    price_id: line.priceId, price_key: line.priceKey, ref: line.ref, group_values: toStoredGroup(line.groupValues), description: line.description,
    generation: late.generation.toString(), complete_as_of: timestampText(late.completeAsOf),
    quantity: toPlain(changed.quantity), unrounded_amount: toPlain(changed.unroundedAmount),
    billed_minor: changed.billedMinor.toString(), absorbed_minor: changed.absorbedMinor.toString(), currency: late.currency,
    invoice_id: lineId === null ? null : settlement.invoiceId, line_id: lineId, day: settlement.day, day_start: timestampText(settlement.dayStart),
    settled_at: timestampText(settlement.settledAt),
  }));
}

/** Subscriptions that have ended, have late usage that is not settled, and no document under way that could bear it; across organizations, or of one. */
export async function findEndedWithLateUsage(manager: EntityManager, wanted: { organizationId: string | null; limit: number }): Promise<{ organizationId: string; subscriptionId: string }[]> {
  const rows: { organization_id: string; subscription_id: string }[] = await manager.query(
    `select distinct late.organization_id, late.subscription_id
     from late_ratings late
     join billing_schedules schedule on schedule.subscription_id = late.subscription_id and schedule.ended
     left join late_settled_periods settled on settled.subscription_id = late.subscription_id and settled.period_index = late.period_index
     where ($1::text is null or late.organization_id = $1) and late.generation > coalesce(settled.generation, 0)
       and not exists (select from due_acts act where act.subscription_id = late.subscription_id and act.kind = 'issue' and act.done_at is null)
     order by 1, 2 limit $2`,
    [wanted.organizationId, wanted.limit],
  );
  return rows.map((row) => ({ organizationId: row.organization_id, subscriptionId: row.subscription_id }));
}

/** Ended subscriptions of the transaction's organization whose rating is behind: late usage of theirs may not be rated yet. */
export async function findEndedWithStaleRating(manager: EntityManager, wanted: { organizationId: string; limit: number }): Promise<string[]> {
  const rows: { subscription_id: string }[] = await manager.query(
    `select due.subscription_id from rating_due due join billing_schedules schedule on schedule.subscription_id = due.subscription_id and schedule.ended
     where due.organization_id = $1 and due.generation > due.rated_generation order by due.subscription_id limit $2`,
    [wanted.organizationId, wanted.limit],
  );
  return rows.map((row) => row.subscription_id);
}

/** What was done with late usage, as it was noted. */
export interface LateSettlementNote {
  readonly subscriptionId: string;
  readonly periodIndex: number;
  /** Of the late rating that it settled. */
  readonly generation: bigint;
  readonly priceId: string;
  readonly priceKey: string;
  readonly groupValues: Readonly<Record<string, string>>;
  readonly quantity: string;
  readonly billedMinor: bigint;
  readonly absorbedMinor: bigint;
  readonly invoiceId: string | null;
  readonly invoiceNumber: string | null;
  readonly lineId: string | null;
  readonly completeAsOf: Temporal.Instant;
  readonly settledAt: Temporal.Instant;
}

/** All settlements of these periods, oldest first. */
export async function readLateSettlements(manager: EntityManager, periods: readonly PeriodKey[]): Promise<LateSettlementNote[]> {
  const rows: {
    subscription_id: string; period_index: number; generation: string; price_id: string; price_key: string; group_values: Record<string, string>; quantity: string; billed_minor: string;
    absorbed_minor: string; invoice_id: string | null; number: string | null; line_id: string | null; complete_as_of: string; settled_at: string;
  }[] = await manager.query(
    `select late.*, trim_scale(late.quantity)::text as quantity, invoice.number
     from late_settlements late join unnest($1::text[], $2::int[]) as wanted (subscription_id, period_index) using (subscription_id, period_index)
     left join invoices invoice on invoice.id = late.invoice_id
     order by late.id`,
    [periods.map(({ subscriptionId }) => subscriptionId), periods.map(({ periodIndex }) => periodIndex)],
  );
  return rows.map((row) => ({
    subscriptionId: row.subscription_id, periodIndex: row.period_index, generation: BigInt(row.generation),
    priceId: row.price_id, priceKey: row.price_key, groupValues: fromStoredGroup(row.group_values),
    quantity: row.quantity, billedMinor: BigInt(row.billed_minor), absorbedMinor: BigInt(row.absorbed_minor),
    invoiceId: row.invoice_id, invoiceNumber: row.number, lineId: row.line_id,
    completeAsOf: Temporal.Instant.from(row.complete_as_of), settledAt: Temporal.Instant.from(row.settled_at),
  }));
}

export interface LatePeriodFilter {
  readonly customerId: string | undefined;
  readonly subscriptionId: string | undefined;
  /** Whether something of it is still to be settled; undefined for all. */
  readonly isOpen: boolean | undefined;
}

export interface LatePeriodKey extends PeriodKey {
  readonly isOpen: boolean;
}

/** One page of the closed periods of the transaction's organization that have late usage, by subscription and period. */
export async function listLatePeriods(
  manager: EntityManager,
  options: { filter: LatePeriodFilter; limit: number; after: PeriodKey | null; before: PeriodKey | null },
): Promise<{ items: LatePeriodKey[]; hasMore: boolean }> {
  const { filter, limit, after, before } = options;
  const direction = before === null ? 'asc' : 'desc';
  const rows: { subscription_id: string; period_index: number; is_open: boolean }[] = await manager.query(
    `select * from (
       select late.subscription_id collate "C" as subscription_id, late.period_index, late.generation > coalesce(settled.generation, 0) as is_open
       from late_ratings late join rated_periods rated using (subscription_id, period_index) left join late_settled_periods settled using (subscription_id, period_index)
       where late.${ownRows} and ($1::text is null or rated.customer_id = $1) and ($2::text is null or late.subscription_id = $2)) period
     where ($3::boolean is null or is_open = $3)
       and ($4::text is null or (subscription_id, period_index) > ($4, $5::int)) and ($6::text is null or (subscription_id, period_index) < ($6, $7::int))
     order by subscription_id ${direction}, period_index ${direction} limit $8`,
    [
      filter.customerId ?? null, filter.subscriptionId ?? null, filter.isOpen ?? null, after?.subscriptionId ?? null, after?.periodIndex ?? null,
      before?.subscriptionId ?? null, before?.periodIndex ?? null, limit + 1,
    ],
  );
  const items = rows.slice(0, limit).map((row) => ({ subscriptionId: row.subscription_id, periodIndex: row.period_index, isOpen: row.is_open }));
  return { items: before === null ? items : items.reverse(), hasMore: rows.length > limit };
}
