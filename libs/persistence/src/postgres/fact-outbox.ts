import type { EntityManager } from 'typeorm';
import type { EventLog } from '#platform';
import type { Database } from './database.js';

export type FactTable = 'rating_facts' | 'invoicing_facts';

/** Any numbers, as long as nothing else uses them: one process at a time sends, so that the order stays. */
const sendLocks: Readonly<Record<FactTable, number>> = { rating_facts: 7_420_060, invoicing_facts: 7_420_061 };
const sentAtOnceMax = 500;

export interface Fact {
  readonly topic: string;
  readonly value: string;
}

/** Keeps facts about an organization in the caller's transaction: they are told where it commits, and not where it does not. */
export async function keepFacts(manager: EntityManager, options: { table: FactTable; organizationId: string; facts: readonly Fact[] }): Promise<void> {
  if (options.facts.length === 0) return;
  await manager.query(
    `insert into ${options.table} (organization_id, topic, value) select $1, given.* from json_to_recordset($2::json) as given (topic text, value text)`,
    [options.organizationId, JSON.stringify(options.facts)],
  );
}

/**
 * Appends the kept facts to the log, the earliest first, a block at a time, and returns how many. They are taken away in a transaction
 * that commits after the append, so whatever ends it in between, they are told at least once.
 */
export async function sendFacts({ database, log, table }: { readonly database: Database; readonly log: Pick<EventLog, 'append'>; readonly table: FactTable }): Promise<number> {
  let sent = 0;
  for (;;) {
    const block = await database.acrossOrganizations((manager) => sendBlock(manager, { log, table }));
    sent += block;
    if (block < sentAtOnceMax) return sent;
  }
}

async function sendBlock(manager: EntityManager, { log, table }: { log: Pick<EventLog, 'append'>; table: FactTable }): Promise<number> {
  const [lock]: { taken: boolean }[] = await manager.query('select pg_try_advisory_xact_lock($1) as taken', [sendLocks[table]]);
  if (lock?.taken !== true) return 0;
  const rows: { id: string; organization_id: string; topic: string; value: string }[] = await manager.query(`select id, organization_id, topic, value from ${table} order by id limit $1`, [sentAtOnceMax]);
  if (rows.length === 0) return 0;
  for (const [topic, facts] of Map.groupBy(rows, (row) => row.topic)) {
    await log.append(topic, facts.map(({ organization_id: key, value }) => ({ key, value })));
  }
  await manager.query(`delete from ${table} where id = any($1::bigint[])`, [rows.map(({ id }) => id)]);
  return rows.length;
}
