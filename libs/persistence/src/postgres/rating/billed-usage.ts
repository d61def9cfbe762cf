import type { EntityManager } from 'typeorm';
import { ownRows } from '../billing-api/list-rows.js';
import { fromStoredGroup } from '../group-values.js';
import type { PeriodKey } from './period-key.js';

/** The periods of these subscriptions that are closed and hold an instant. */
export async function findClosedPeriodsAt(manager: EntityManager, wanted: { subscriptionIds: readonly string[]; at: Temporal.Instant }): Promise<PeriodKey[]> {
  const rows: { subscription_id: string; period_index: number }[] = await manager.query(
    `select subscription_id, period_index from rated_periods
     where subscription_id = any($1::text[]) and is_final and period_start <= $2 and period_end > $2 order by subscription_id collate "C", period_index`,
    [wanted.subscriptionIds, wanted.at.toString()],
  );
  return rows.map((row) => ({ subscriptionId: row.subscription_id, periodIndex: row.period_index }));
}

/** How far the late usage of closed periods is settled. */
export interface LateProgress extends PeriodKey {
  /** Of the latest late rating. */
  readonly generation: bigint;
  readonly isSettled: boolean;
}

/** Of those of these periods that have late ratings. */
export async function readLateProgress(manager: EntityManager, keys: readonly PeriodKey[]): Promise<LateProgress[]> {
  const rows: { subscription_id: string; period_index: number; generation: string; is_settled: boolean }[] = await manager.query(
    `select late.subscription_id, late.period_index, late.generation::text as generation, late.generation <= coalesce(settled.generation, 0) as is_settled
     from late_ratings late join unnest($1::text[], $2::int[]) as wanted (subscription_id, period_index) using (subscription_id, period_index)
     left join late_settled_periods settled using (subscription_id, period_index)`,
    [keys.map(({ subscriptionId }) => subscriptionId), keys.map(({ periodIndex }) => periodIndex)],
  );
  return rows.map((row) => ({ subscriptionId: row.subscription_id, periodIndex: row.period_index, generation: BigInt(row.generation), isSettled: row.is_settled }));
}

/** The document that closes a period, be it a draft, with its lines of usage. */
export interface ClosingDocument extends PeriodKey {
  readonly invoiceId: string;
  readonly invoiceNumber: string | null;
  readonly isIssued: boolean;
  readonly issuedAt: Temporal.Instant | null;
  readonly lines: readonly { readonly id: string; readonly priceId: string; readonly groupValues: Readonly<Record<string, string>>; readonly amountMinor: bigint }[];
}

export async function readClosingDocuments(manager: EntityManager, keys: readonly PeriodKey[]): Promise<ClosingDocument[]> {
  const rows: {
    subscription_id: string; period_index: number; invoice_id: string; number: string | null; status: string; issued_at: string | null;
    line_id: string | null; price_id: string; group_values: Record<string, string>; amount_minor: string;
  }[] = await manager.query(
    `select invoice.subscription_id, invoice.closes_index as period_index, invoice.id as invoice_id, invoice.number, invoice.status, invoice.issued_at,
       line.id as line_id, line.price_id, line.group_values, line.amount_minor::text as amount_minor
     from invoices invoice join unnest($1::text[], $2::int[]) as wanted (subscription_id, closes_index) using (subscription_id, closes_index)
     left join invoice_lines line on line.invoice_id = invoice.id and line.kind = 'usage'
     where invoice.${ownRows} order by invoice.id, line.position`,
    [keys.map(({ subscriptionId }) => subscriptionId), keys.map(({ periodIndex }) => periodIndex)],
  );
  return [...Map.groupBy(rows, (row) => row.invoice_id).values()].flatMap((own): ClosingDocument[] => own.slice(0, 1).map((row) => ({
    subscriptionId: row.subscription_id, periodIndex: row.period_index, invoiceId: row.invoice_id, invoiceNumber: row.number, isIssued: row.status !== 'draft',
    issuedAt: row.issued_at === null ? null : Temporal.Instant.from(row.issued_at),
    lines: own.flatMap((line) => (line.line_id === null ? [] : [{ id: line.line_id, priceId: line.price_id, groupValues: fromStoredGroup(line.group_values), amountMinor: BigInt(line.amount_minor) }])),
  })));
}
