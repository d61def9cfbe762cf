import type { EntityManager } from 'typeorm';

/** Something that is counted, and since when the longest of it waits, in system time; null where there is none. */
interface Backlog {
  readonly count: number;
  readonly since: Temporal.Instant | null;
}

export interface InvoicingBacklog {
  /** Periods that ended, whose invoices can't be issued before their last usage is counted and rated. */
  readonly waitingForUsage: Backlog;
  /** What the payment provider has still to be told. */
  readonly outbox: Backlog;
}

/** What waits in all organizations. */
export async function readInvoicingBacklog(manager: EntityManager): Promise<InvoicingBacklog> {
  const rows: { waiting: number; waiting_since: string | null; open: number; open_since: string | null }[] = await manager.query(
    `select * from
       (select count(*)::int as waiting, min(waiting_since) as waiting_since from due_acts where kind = 'issue' and done_at is null and waiting_since is not null) as acts,
       (select count(*)::int as open, min(created_at) as open_since from payment_outbox where state in ('pending', 'unknown')) as entries`,
  );
  const [row] = rows;
  return { waitingForUsage: backlog(row?.waiting, row?.waiting_since), outbox: backlog(row?.open, row?.open_since) };
}

function backlog(count: number | undefined, since: string | null | undefined): Backlog {
  return { count: count ?? 0, since: since === undefined || since === null ? null : Temporal.Instant.from(since) };
}
