import type { EntityManager } from 'typeorm';
import type { CommitmentWindow } from '#domain';
import { ownRows } from '../billing-api/list-rows.js';
import type { InvoiceRecord } from './invoice-table.js';
import { timestampText, timestampTextOrNull } from './timestamp-text.js';

/** What issued documents have charged for one billing period. */
export interface ChargedPeriod {
  readonly subscriptionId: string;
  readonly number: number;
  readonly amountMinor: bigint;
}

/** The period that a line counts to, as `countedPeriodOf` has it. */
const countedPeriod = `case
    when line.kind in ('usage', 'arrears', 'proration') then coalesce(invoice.closes_index, invoice.period_index - 1)
    when line.kind = 'advance' then invoice.period_index
    when line.kind = 'adjustment' and line.ref ~ '^adjustment:\\d+:' then split_part(line.ref, ':', 2)::int end`;

/** What documents of these subscriptions charged, by billing period: the issued ones, and with `drafts` also the fees of drafts but these. */
export async function readChargedPeriods(
  manager: EntityManager,
  wanted: { readonly subscriptionIds: readonly string[]; readonly drafts: { readonly exceptIds: readonly string[] } | null },
): Promise<ChargedPeriod[]> {
  const rows: { subscription_id: string; number: number; amount_minor: string }[] = await manager.query(
    `select subscription_id, number, sum(amount_minor)::text as amount_minor
     from (select invoice.subscription_id, line.amount_minor, ${countedPeriod} as number
       from invoices invoice join invoice_lines line on line.invoice_id = invoice.id
       where invoice.${ownRows} and invoice.subscription_id = any($1) and (invoice.status <> 'draft' or ($2 and invoice.id <> all($3)))) counted
     where number is not null group by subscription_id, number`,
    [wanted.subscriptionIds, wanted.drafts !== null, wanted.drafts?.exceptIds ?? []],
  );
  return rows.map((row) => ({ subscriptionId: row.subscription_id, number: row.number, amountMinor: BigInt(row.amount_minor) }));
}

/** A window that a document has closed, and what was asked for on top so far. */
export interface SettledCommitment {
  readonly subscriptionId: string;
  readonly first: number;
  readonly last: number;
  readonly committedMinor: bigint;
  readonly settledMinor: bigint;
}

export async function readSettledCommitments(manager: EntityManager, subscriptionIds: readonly string[]): Promise<SettledCommitment[]> {
  const rows: { subscription_id: string; first_period: number; last_period: number; committed_minor: string; settled_minor: string }[] = await manager.query(
    `select subscription_id, first_period, min(last_period) as last_period, min(committed_minor)::text as committed_minor, sum(amount_minor)::text as settled_minor
     from commitment_settlements where ${ownRows} and subscription_id = any($1) group by subscription_id, first_period`,
    [subscriptionIds],
  );
  return rows.map((row) => ({
    subscriptionId: row.subscription_id, first: row.first_period, last: row.last_period, committedMinor: BigInt(row.committed_minor), settledMinor: BigInt(row.settled_minor),
  }));
}

/** Documents are issued in the order of their counters, which end their numbers. */
const isIssuedBefore = ({ alias, number }: { alias: string; number: string }): string => `substring(${alias}.number from '\\d+$')::numeric < substring(${number} from '\\d+$')::numeric`;

/** What the documents of an invoice's subscription had charged and asked for on top when it was issued: those that were issued before it. */
export async function readCommitmentsBefore(
  manager: EntityManager,
  invoice: Pick<InvoiceRecord, 'id' | 'subscriptionId' | 'number' | 'issuedAt'>,
): Promise<{ readonly charged: ReadonlyMap<number, bigint>; readonly settled: ReadonlyMap<number, { readonly last: number; readonly settledMinor: bigint }> }> {
  const charged: { number: number; amount_minor: string }[] = await manager.query(
    `select number, sum(amount_minor)::text as amount_minor
     from (select line.amount_minor, ${countedPeriod} as number
       from invoices invoice join invoice_lines line on line.invoice_id = invoice.id
       where invoice.${ownRows} and invoice.subscription_id = $1 and invoice.status <> 'draft' and ${isIssuedBefore({ alias: 'invoice', number: '$2::text' })}) counted
     where number is not null group by number`,
    [invoice.subscriptionId, invoice.number],
  );
  // A window that closed without a document has no number: its note came before those of this invoice.
  const settled: { first_period: number; last_period: number; settled_minor: string }[] = await manager.query(
    `select first_period, min(last_period) as last_period, sum(settlement.amount_minor)::text as settled_minor
     from commitment_settlements settlement left join invoices bearer on bearer.id = settlement.invoice_id
     where settlement.${ownRows} and settlement.subscription_id = $1 and case when settlement.invoice_id is null
       then settlement.settled_at <= $4 and settlement.id < coalesce((select min(own.id) from commitment_settlements own where own.invoice_id = $3), settlement.id + 1)
       else ${isIssuedBefore({ alias: 'bearer', number: '$2::text' })} end
     group by first_period`,
    [invoice.subscriptionId, invoice.number, invoice.id, timestampTextOrNull(invoice.issuedAt)],
  );
  return {
    charged: new Map(charged.map(({ number, amount_minor }) => [number, BigInt(amount_minor)])),
    settled: new Map(settled.map((row) => [row.first_period, { last: row.last_period, settledMinor: BigInt(row.settled_minor) }])),
  };
}

export interface CommitmentSettlement {
  readonly customerId: string;
  readonly subscriptionId: string;
  readonly window: Pick<CommitmentWindow, 'first' | 'last' | 'period'>;
  readonly planId: string;
  readonly committedMinor: bigint;
  readonly chargedMinor: bigint;
  readonly amountMinor: bigint;
  readonly currency: string;
  /** Null where nothing of it is on a document. */
  readonly invoiceId: string | null;
  readonly lineId: string | null;
  /** The local day on which a report shows it. */
  readonly day: string;
  readonly dayStart: Temporal.Instant;
  readonly settledAt: Temporal.Instant;
}

/** Notes how windows were settled. In the transaction of the documents that bear it, under the lock on the organization's numbers. */
export async function saveCommitmentSettlements(manager: EntityManager, saved: { readonly organizationId: string; readonly settlements: readonly CommitmentSettlement[] }): Promise<void> {
  const { organizationId, settlements } = saved;
  if (settlements.length === 0) return;
  const rows = settlements.map((one) => ({
    customer_id: one.customerId, subscription_id: one.subscriptionId, first_period: one.window.first, last_period: one.window.last,
    period_start: timestampText(one.window.period.start), period_end: timestampText(one.window.period.end), plan_id: one.planId,
    committed_minor: one.committedMinor.toString(), charged_minor: one.chargedMinor.toString(), amount_minor: one.amountMinor.toString(), currency: one.currency,
    invoice_id: one.invoiceId, line_id: one.lineId, day: one.day, day_start: timestampText(one.dayStart), settled_at: timestampText(one.settledAt),
  }));
  await manager.query(
    `insert into commitment_settlements (organization_id, customer_id, subscription_id, first_period, last_period, period_start, period_end, plan_id, committed_minor, charged_minor,
       amount_minor, currency, invoice_id, line_id, day, day_start, settled_at)
     select $1, given.* from json_to_recordset($2::json) as given (customer_id text, subscription_id text, first_period int, last_period int, period_start timestamptz, period_end timestamptz,
       plan_id text, committed_minor numeric, charged_minor numeric, amount_minor numeric, currency text, invoice_id text, line_id text, day date, day_start timestamptz, settled_at timestamptz)`,
    [organizationId, JSON.stringify(rows)],
  );
}
