import type { EntityManager } from 'typeorm';
import { timestampText } from './timestamp-text.js';

/** `push` shows an issued invoice to the payment provider; `pay` asks it to take the money of an open one again. */
export type OutboxKind = 'push' | 'pay';

/** `pending` and `unknown` are tried until they end as one of the others. */
export type OutboxState = 'pending' | 'unknown' | 'done' | 'refused' | 'given_up';

export interface OutboxEntry {
  readonly id: bigint;
  readonly organizationId: string;
  readonly invoiceId: string;
  readonly kind: OutboxKind;
  readonly paymentId: string | null;
  readonly state: OutboxState;
  readonly attempts: number;
  /** System time. */
  readonly createdAt: Temporal.Instant;
}

export type NewOutboxEntry = Pick<OutboxEntry, 'invoiceId' | 'kind' | 'paymentId'>;

interface OutboxRow {
  id: string;
  organization_id: string;
  invoice_id: string;
  kind: OutboxKind;
  payment_id: string | null;
  state: OutboxState;
  attempts: number;
  created_at: string;
}

function fromRow(row: OutboxRow): OutboxEntry {
  return {
    id: BigInt(row.id), organizationId: row.organization_id, invoiceId: row.invoice_id, kind: row.kind, paymentId: row.payment_id,
    state: row.state, attempts: row.attempts, createdAt: Temporal.Instant.from(row.created_at),
  };
}

/** Writes what is to be told, in the transaction that makes it true. One that is open already for its invoice and kind stays the only one. */
export async function insertOutboxEntries(
  manager: EntityManager,
  options: { organizationId: string; systemNow: Temporal.Instant; entries: readonly NewOutboxEntry[] },
): Promise<void> {
  if (options.entries.length === 0) return;
  const rows = options.entries.map((entry) => ({ invoice_id: entry.invoiceId, kind: entry.kind, payment_id: entry.paymentId }));
  await manager.query(
    `insert into payment_outbox (organization_id, next_try_at, created_at, invoice_id, kind, payment_id)
     select $1, $2::timestamptz, $2::timestamptz, given.* from json_to_recordset($3::json) as given (invoice_id text, kind text, payment_id text)
     on conflict (invoice_id, kind) where state in ('pending', 'unknown') do nothing`,
    [options.organizationId, timestampText(options.systemNow), JSON.stringify(rows)],
  );
}

/** Entries that are to be tried now, of all organizations unless one or an invoice is named; the one waiting longest first. */
export async function readDueOutbox(
  manager: EntityManager,
  query: { systemNow: Temporal.Instant; limit: number; organizationId?: string | undefined; invoiceId?: string | undefined },
): Promise<OutboxEntry[]> {
  const rows: OutboxRow[] = await manager.query(
    `select * from payment_outbox
      where state in ('pending', 'unknown') and next_try_at <= $1 and ($3::text is null or organization_id = $3) and ($4::text is null or invoice_id = $4)
      order by next_try_at, id limit $2`,
    [timestampText(query.systemNow), query.limit, query.organizationId ?? null, query.invoiceId ?? null],
  );
  return rows.map(fromRow);
}

/** Holds open entries until the transaction ends; those that are done, not due, or held by another are left out. */
export async function lockOutboxEntries(manager: EntityManager, wanted: { organizationId: string; ids: readonly bigint[]; systemNow: Temporal.Instant }): Promise<OutboxEntry[]> {
  const rows: OutboxRow[] = await manager.query(
    `select * from payment_outbox
      where organization_id = $1 and id = any($2::bigint[]) and state in ('pending', 'unknown') and next_try_at <= $3 order by id for update skip locked`,
    [wanted.organizationId, wanted.ids.map(String), timestampText(wanted.systemNow)],
  );
  return rows.map(fromRow);
}

/** Takes back what nobody has begun to tell. False, and nothing changed, where something may have reached the provider or is on its way. */
export async function withdrawOutbox(manager: EntityManager, wanted: { organizationId: string; invoiceId: string; systemNow: Temporal.Instant }): Promise<boolean> {
  const open = await readOpenOutbox(manager, wanted);
  const free: { id: string }[] = await manager.query(
    `select id from payment_outbox where id = any($1::bigint[]) and state = 'pending' and attempts = 0 for update skip locked`, [open.map(({ id }) => id.toString())]);
  if (free.length < open.length) return false;
  await manager.query(
    `update payment_outbox set state = 'given_up', done_at = $2, detail = '{"code": "withdrawn"}' where id = any($1::bigint[])`,
    [free.map(({ id }) => id), timestampText(wanted.systemNow)],
  );
  return true;
}

/** Makes the open entries of an invoice due at once. */
export async function hastenOutbox(manager: EntityManager, wanted: { organizationId: string; invoiceId: string; systemNow: Temporal.Instant }): Promise<void> {
  await manager.query(
    `update payment_outbox set next_try_at = $3
      where id in (select id from payment_outbox
                    where organization_id = $1 and invoice_id = $2 and state in ('pending', 'unknown') for update skip locked)`,
    [wanted.organizationId, wanted.invoiceId, timestampText(wanted.systemNow)],
  );
}

/** The open entries of an invoice, whoever holds them. */
export async function readOpenOutbox(manager: EntityManager, wanted: { organizationId: string; invoiceId: string }): Promise<OutboxEntry[]> {
  const rows: OutboxRow[] = await manager.query(
    `select * from payment_outbox where organization_id = $1 and invoice_id = $2 and state in ('pending', 'unknown') order by id`,
    [wanted.organizationId, wanted.invoiceId],
  );
  return rows.map(fromRow);
}

/** How many entries of the organization are open and were tried fewer than `triesMax` times. */
export async function countOpenOutbox(manager: EntityManager, query: { organizationId: string; triesMax: number }): Promise<number> {
  const rows: { open: number }[] = await manager.query(
    `select count(*)::int as open from payment_outbox where organization_id = $1 and state in ('pending', 'unknown') and attempts < $2`,
    [query.organizationId, query.triesMax],
  );
  return rows[0]?.open ?? 0;
}

/** What became of entries. */
export interface OutboxOutcome {
  readonly ids: readonly bigint[];
  readonly state: OutboxState;
  readonly systemNow: Temporal.Instant;
  readonly nextTryAt: Temporal.Instant | null;
  readonly detail: Readonly<Record<string, string>> | null;
}

export async function saveOutboxOutcome(manager: EntityManager, outcome: OutboxOutcome): Promise<void> {
  await manager.query(
    `update payment_outbox set state = $2, attempts = attempts + 1, next_try_at = coalesce($4::timestamptz, next_try_at), detail = $5::jsonb,
       unknown_since = case when $2 = 'unknown' then coalesce(unknown_since, $3::timestamptz) end,
       done_at = case when $2 in ('pending', 'unknown') then null else $3::timestamptz end
      where id = any($1::bigint[])`,
    [
      outcome.ids.map(String), outcome.state, timestampText(outcome.systemNow), outcome.nextTryAt === null ? null : timestampText(outcome.nextTryAt),
      outcome.detail === null ? null : JSON.stringify(outcome.detail),
    ],
  );
}
