import { EntitySchema, type EntityManager } from 'typeorm';
import type { InvoiceStatus } from '#domain';
import type { ListPage } from '#platform';
import { ownRows, type RowPage } from '../billing-api/list-rows.js';
import { bigintColumn, booleanColumn, fromRow, instantColumn, integerColumn, jsonColumn, minorColumn, resourceColumns, textColumn, type Row } from '../billing-api/table-columns.js';
import { timestampText, timestampTextOrNull } from './timestamp-text.js';

export interface PaymentFailureNote {
  readonly code: string;
  readonly detail: string;
}

/** An invoice. Amounts are in minor units of its currency. Once issued, its lines and amounts never change. */
export interface InvoiceRecord {
  readonly id: string;
  readonly organizationId: string;
  readonly sequence: bigint;
  /** One of a boundary, or a one-off after the subscription's end. */
  readonly kind: 'period' | 'one_off';
  readonly number: string | null;
  readonly customerId: string;
  readonly subscriptionId: string;
  /** The boundary that made it. */
  readonly periodIndex: number;
  /** The period whose usage it closes; null where it closes none. */
  readonly closesIndex: number | null;
  readonly planId: string;
  readonly planVersion: number;
  readonly status: InvoiceStatus;
  readonly waitingForUsage: boolean;
  readonly currency: string;
  readonly collection: 'automatic' | 'send_invoice';
  readonly daysUntilDue: number | null;
  readonly periodStart: Temporal.Instant;
  readonly periodEnd: Temporal.Instant;
  readonly subtotalMinor: bigint;
  readonly discountMinor: bigint;
  readonly taxMinor: bigint;
  readonly creditsAppliedMinor: bigint;
  readonly totalMinor: bigint;
  readonly amountDueMinor: bigint;
  readonly amountPaidMinor: bigint;
  readonly carriedOutMinor: bigint;
  readonly carriedTo: string | null;
  readonly usageCompleteAsOf: Temporal.Instant | null;
  readonly datedAt: Temporal.Instant;
  readonly issuedAt: Temporal.Instant | null;
  readonly dueAt: Temporal.Instant | null;
  readonly paidAt: Temporal.Instant | null;
  readonly voidedAt: Temporal.Instant | null;
  readonly markedUncollectibleAt: Temporal.Instant | null;
  readonly provider: string | null;
  readonly providerInvoiceId: string | null;
  readonly providerStatus: string | null;
  readonly paymentStatus: string | null;
  readonly paymentFailure: PaymentFailureNote | null;
  readonly pushedAt: Temporal.Instant | null;
  readonly createdAt: Temporal.Instant;
  readonly metadata: Readonly<Record<string, string>>;
}

const nullable = { nullable: true };

export const invoiceTable = new EntitySchema<InvoiceRecord>({
  name: 'Invoice',
  tableName: 'invoices',
  columns: {
    ...resourceColumns,
    sequence: bigintColumn('sequence'),
    kind: textColumn('kind'),
    number: textColumn('number', nullable),
    customerId: textColumn('customer_id'),
    subscriptionId: textColumn('subscription_id'),
    periodIndex: integerColumn('period_index'),
    closesIndex: integerColumn('closes_index', nullable),
    planId: textColumn('plan_id'),
    planVersion: integerColumn('plan_version'),
    status: textColumn('status'),
    waitingForUsage: booleanColumn('waiting_for_usage'),
    currency: textColumn('currency'),
    collection: textColumn('collection'),
    daysUntilDue: integerColumn('days_until_due', nullable),
    periodStart: instantColumn('period_start'),
    periodEnd: instantColumn('period_end'),
    subtotalMinor: minorColumn('subtotal_minor'),
    discountMinor: minorColumn('discount_minor'),
    taxMinor: minorColumn('tax_minor'),
    creditsAppliedMinor: minorColumn('credits_applied_minor'),
    totalMinor: minorColumn('total_minor'),
    amountDueMinor: minorColumn('amount_due_minor'),
    amountPaidMinor: minorColumn('amount_paid_minor'),
    carriedOutMinor: minorColumn('carried_out_minor'),
    carriedTo: textColumn('carried_to', nullable),
    usageCompleteAsOf: instantColumn('usage_complete_as_of', nullable),
    datedAt: instantColumn('dated_at'),
    issuedAt: instantColumn('issued_at', nullable),
    dueAt: instantColumn('due_at', nullable),
    paidAt: instantColumn('paid_at', nullable),
    voidedAt: instantColumn('voided_at', nullable),
    markedUncollectibleAt: instantColumn('marked_uncollectible_at', nullable),
    provider: textColumn('provider', nullable),
    providerInvoiceId: textColumn('provider_invoice_id', nullable),
    providerStatus: textColumn('provider_status', nullable),
    paymentStatus: textColumn('payment_status', nullable),
    paymentFailure: jsonColumn('payment_failure', nullable),
    pushedAt: instantColumn('pushed_at', nullable),
  },
});

/** What a draft is made from. */
export type NewInvoice = Pick<InvoiceRecord,
  'id' | 'kind' | 'customerId' | 'subscriptionId' | 'periodIndex' | 'closesIndex' | 'planId' | 'planVersion' | 'waitingForUsage' | 'currency' | 'collection' |
  'daysUntilDue' | 'periodStart' | 'periodEnd' | 'datedAt'>;

/** Makes drafts. One that is there already for its subscription and boundary is left alone; returns the ids of those that were made. */
export async function insertInvoices(manager: EntityManager, options: { organizationId: string; invoices: readonly NewInvoice[] }): Promise<Set<string>> {
  if (options.invoices.length === 0) return new Set();
  const rows = options.invoices.map((invoice) => ({
    id: invoice.id, kind: invoice.kind, customer_id: invoice.customerId, subscription_id: invoice.subscriptionId, period_index: invoice.periodIndex,
    closes_index: invoice.closesIndex, plan_id: invoice.planId, plan_version: invoice.planVersion, waiting_for_usage: invoice.waitingForUsage,
    currency: invoice.currency, collection: invoice.collection, days_until_due: invoice.daysUntilDue,
    period_start: timestampText(invoice.periodStart), period_end: timestampText(invoice.periodEnd), dated_at: timestampText(invoice.datedAt),
  }));
  const made: { id: string }[] = await manager.query(
    `insert into invoices (organization_id, status, id, kind, customer_id, subscription_id, period_index, closes_index, plan_id, plan_version,
       waiting_for_usage, currency, collection, days_until_due, period_start, period_end, dated_at)
     select $1, 'draft', given.* from json_to_recordset($2::json) as given (id text, kind text, customer_id text, subscription_id text, period_index int, closes_index int,
       plan_id text, plan_version int, waiting_for_usage boolean, currency text, collection text, days_until_due int,
       period_start timestamptz, period_end timestamptz, dated_at timestamptz)
     on conflict on constraint invoices_once do nothing
     returning id`,
    [options.organizationId, JSON.stringify(rows)],
  );
  return new Set(made.map(({ id }) => id));
}

export type IssuedInvoice = Pick<InvoiceRecord,
  'id' | 'status' | 'subtotalMinor' | 'discountMinor' | 'taxMinor' | 'creditsAppliedMinor' | 'totalMinor' | 'amountDueMinor' | 'carriedOutMinor' |
  'usageCompleteAsOf' | 'paidAt'> & { readonly number: string; readonly issuedAt: Temporal.Instant; readonly dueAt: Temporal.Instant };

/** Takes drafts away that came to owe nothing. They have no lines yet. */
export async function deleteDrafts(manager: EntityManager, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await manager.query(`delete from invoices where id = any($1) and status = 'draft'`, [ids]);
}

/** Turns locked drafts into issued invoices, all in one statement. */
export async function issueInvoices(manager: EntityManager, invoices: readonly IssuedInvoice[]): Promise<void> {
  const rows = invoices.map((invoice) => ({
    id: invoice.id, status: invoice.status, number: invoice.number, subtotal: invoice.subtotalMinor.toString(), discount: invoice.discountMinor.toString(),
    tax: invoice.taxMinor.toString(), credits: invoice.creditsAppliedMinor.toString(), total: invoice.totalMinor.toString(),
    due: invoice.amountDueMinor.toString(), carried: invoice.carriedOutMinor.toString(), complete: timestampTextOrNull(invoice.usageCompleteAsOf),
    issued_at: timestampText(invoice.issuedAt), due_at: timestampText(invoice.dueAt), paid_at: timestampTextOrNull(invoice.paidAt),
  }));
  await manager.query(
    `update invoices set status = given.status, number = given.number, waiting_for_usage = false, subtotal_minor = given.subtotal, discount_minor = given.discount,
       tax_minor = given.tax, credits_applied_minor = given.credits, total_minor = given.total, amount_due_minor = given.due, carried_out_minor = given.carried,
       usage_complete_as_of = given.complete, issued_at = given.issued_at, dated_at = given.issued_at, due_at = given.due_at, paid_at = given.paid_at
     from json_to_recordset($1::json) as given (id text, status text, number text, subtotal numeric, discount numeric, tax numeric, credits numeric, total numeric,
       due numeric, carried numeric, complete timestamptz, issued_at timestamptz, due_at timestamptz, paid_at timestamptz)
     where invoices.id = given.id and invoices.status = 'draft'`,
    [JSON.stringify(rows)],
  );
}

/** Invoices of the transaction's organization by id; `forUpdate` holds them until it ends, in order of id. */
export async function readInvoices(manager: EntityManager, wanted: { ids: readonly string[]; forUpdate?: boolean }): Promise<InvoiceRecord[]> {
  const rows: Row[] = await manager.query(
    `select * from invoices where ${ownRows} and id = any($1) order by id${wanted.forUpdate === true ? ' for update' : ''}`, [wanted.ids]);
  return rows.map((row) => fromRow(invoiceTable, row));
}

/** The documents with these indexes of their subscriptions, held until the transaction ends. */
export async function lockInvoicesOfBoundaries(manager: EntityManager, boundaries: readonly { subscriptionId: string; periodIndex: number }[]): Promise<InvoiceRecord[]> {
  const rows: Row[] = await manager.query(
    `select * from invoices
      where ${ownRows} and (subscription_id, period_index) in (select * from unnest($1::text[], $2::int[]))
      order by id for update`,
    [boundaries.map(({ subscriptionId }) => subscriptionId), boundaries.map(({ periodIndex }) => periodIndex)],
  );
  return rows.map((row) => fromRow(invoiceTable, row));
}

/** The latest period that a draft of each subscription closes: what is late of earlier ones belongs to that draft. */
export async function readDraftedPeriods(manager: EntityManager, subscriptionIds: readonly string[]): Promise<Map<string, number>> {
  const rows: { subscription_id: string; closes_index: number }[] = await manager.query(
    `select subscription_id, max(closes_index) as closes_index from invoices where ${ownRows} and status = 'draft' and subscription_id = any($1) and closes_index is not null group by 1`,
    [subscriptionIds],
  );
  return new Map(rows.map((row) => [row.subscription_id, row.closes_index]));
}

/** When each of these subscriptions was last issued an invoice. */
export async function readLastIssues(manager: EntityManager, subscriptionIds: readonly string[]): Promise<Map<string, Temporal.Instant>> {
  const rows: { subscription_id: string; issued_at: string }[] = await manager.query(
    `select subscription_id, max(issued_at) as issued_at from invoices where ${ownRows} and subscription_id = any($1) and issued_at is not null group by 1`, [subscriptionIds]);
  return new Map(rows.map((row) => [row.subscription_id, Temporal.Instant.from(row.issued_at)]));
}

/** The invoice that the provider knows by this id. */
export async function findInvoiceOfProvider(manager: EntityManager, providerInvoiceId: string): Promise<InvoiceRecord | null> {
  const rows: Row[] = await manager.query(`select * from invoices where ${ownRows} and provider_invoice_id = $1`, [providerInvoiceId]);
  return rows[0] === undefined ? null : fromRow(invoiceTable, rows[0]);
}

export async function anyInvoiceExists(manager: EntityManager, organizationId: string): Promise<boolean> {
  const rows: unknown[] = await manager.query(`select 1 from invoices where organization_id = $1 limit 1`, [organizationId]);
  return rows.length > 0;
}

export interface InvoiceFilter {
  readonly customerId?: string | undefined;
  readonly subscriptionId?: string | undefined;
  readonly status?: InvoiceStatus | undefined;
  /** Of issued_at; of the boundary's instant while it is a draft. */
  readonly from?: Temporal.Instant | undefined;
  readonly to?: Temporal.Instant | undefined;
}

/** One page of the organization's invoices, the one made last first. */
export async function listInvoices(manager: EntityManager, options: { page: ListPage; filter: InvoiceFilter }): Promise<RowPage<InvoiceRecord>> {
  const { page, filter } = options;
  const backwards = page.endingBefore !== null;
  const rows: Row[] = await manager.query(
    `select * from invoices
      where ${ownRows}
        and ($2::text is null or customer_id = $2)
        and ($3::text is null or subscription_id = $3)
        and ($4::text is null or status = $4)
        and ($5::timestamptz is null or dated_at >= $5)
        and ($6::timestamptz is null or dated_at < $6)
        and ($7::text is null or sequence < (select sequence from invoices where ${ownRows} and id = $7))
        and ($8::text is null or sequence > (select sequence from invoices where ${ownRows} and id = $8))
      order by sequence ${backwards ? 'asc' : 'desc'} limit $1`,
    [
      page.limit + 1, filter.customerId ?? null, filter.subscriptionId ?? null, filter.status ?? null,
      timestampTextOrNull(filter.from ?? null), timestampTextOrNull(filter.to ?? null), page.startingAfter, page.endingBefore,
    ],
  );
  const items = rows.slice(0, page.limit).map((row) => fromRow(invoiceTable, row));
  return { items: backwards ? items.reverse() : items, hasMore: rows.length > page.limit };
}
