import type { EntityManager } from 'typeorm';
import { timestampText } from './timestamp-text.js';

/** `boundary` makes a subscription's invoice at a boundary; `issue` gives that invoice its lines of usage and its number. */
export type DueActKind = 'boundary' | 'issue';

export interface DueAct {
  readonly id: bigint;
  readonly organizationId: string;
  readonly kind: DueActKind;
  readonly subscriptionId: string;
  readonly periodIndex: number;
  /** Business time. */
  readonly dueAt: Temporal.Instant;
  readonly attempts: number;
  /** System time before which it is not tried, after a failure. */
  readonly nextTryAt: Temporal.Instant | null;
  /** System time at which it was first seen due. */
  readonly waitingSince: Temporal.Instant | null;
  /** System time at which the last rating was last asked for. */
  readonly requestedAt: Temporal.Instant | null;
}

export type NewDueAct = Pick<DueAct, 'kind' | 'subscriptionId' | 'periodIndex' | 'dueAt'>;

interface DueActRow {
  id: string;
  organization_id: string;
  kind: DueActKind;
  subscription_id: string;
  period_index: number;
  due_at: string;
  attempts: number;
  next_try_at: string | null;
  waiting_since: string | null;
  requested_at: string | null;
}

function fromRow(row: DueActRow): DueAct {
  return {
    id: BigInt(row.id),
    organizationId: row.organization_id,
    kind: row.kind,
    subscriptionId: row.subscription_id,
    periodIndex: row.period_index,
    dueAt: Temporal.Instant.from(row.due_at),
    attempts: row.attempts,
    nextTryAt: row.next_try_at === null ? null : Temporal.Instant.from(row.next_try_at),
    waitingSince: row.waiting_since === null ? null : Temporal.Instant.from(row.waiting_since),
    requestedAt: row.requested_at === null ? null : Temporal.Instant.from(row.requested_at),
  };
}

/** An organization with something due, and where its clock stands. Both null: system time. */
export interface DueOrganization {
  readonly organizationId: string;
  readonly clockNow: Temporal.Instant | null;
  readonly clockTarget: Temporal.Instant | null;
}

/** Organizations in which something is due by their own clocks, or whose clock waits to arrive at its target. */
export async function readDueOrganizations(manager: EntityManager, options: { systemNow: Temporal.Instant; limit: number }): Promise<DueOrganization[]> {
  const rows: { organization_id: string; now: string | null; target: string | null }[] = await manager.query(
    `with clocks as (select organization_id, now, target from test_clocks where now is not null or target is not null)
     (select distinct act.organization_id, null::timestamptz as now, null::timestamptz as target
        from due_acts act
       where act.done_at is null and act.due_at <= $1 and (act.next_try_at is null or act.next_try_at <= $1)
         and not exists (select from clocks where clocks.organization_id = act.organization_id)
       limit $2)
     union all
     (select clocks.organization_id, clocks.now, clocks.target
        from clocks
       where clocks.target is not null
          or exists (select from due_acts act
                      where act.organization_id = clocks.organization_id and act.done_at is null
                        and act.due_at <= clocks.now and (act.next_try_at is null or act.next_try_at <= $1))
       limit $2)`,
    [timestampText(options.systemNow), options.limit],
  );
  return rows.map((row) => ({
    organizationId: row.organization_id,
    clockNow: row.now === null ? null : Temporal.Instant.from(row.now),
    clockTarget: row.target === null ? null : Temporal.Instant.from(row.target),
  }));
}

export interface DueActQuery {
  readonly organizationId: string;
  readonly kind: DueActKind;
  /** Business time, inclusive. */
  readonly dueUntil: Temporal.Instant;
  readonly systemNow: Temporal.Instant;
  readonly limit: number;
  /** Acts that failed and wait for their next try are given too, so that whoever keeps the order can stop at them. */
  readonly withDeferred?: boolean;
}

/** Open acts in order of due time, locked until the transaction ends; those that another transaction holds are left out. */
export async function lockDueActs(manager: EntityManager, query: DueActQuery): Promise<DueAct[]> {
  const rows: DueActRow[] = await manager.query(
    `select * from due_acts
      where organization_id = $1 and kind = $2 and done_at is null and due_at <= $3 and ($6 or next_try_at is null or next_try_at <= $4)
      order by due_at, id limit $5 for update skip locked`,
    [query.organizationId, query.kind, timestampText(query.dueUntil), timestampText(query.systemNow), query.limit, query.withDeferred ?? false],
  );
  return rows.map(fromRow);
}

/** The open act of an invoice, locked; null where it is done. */
export async function lockDueAct(manager: EntityManager, key: { organizationId: string; subscriptionId: string; periodIndex: number; kind: DueActKind }): Promise<DueAct | null> {
  const rows: DueActRow[] = await manager.query(
    `select * from due_acts where organization_id = $1 and subscription_id = $2 and period_index = $3 and kind = $4 and done_at is null for update`,
    [key.organizationId, key.subscriptionId, key.periodIndex, key.kind],
  );
  return rows[0] === undefined ? null : fromRow(rows[0]);
}

/** How many acts are open until an instant of business time. */
export async function countOpenActs(manager: EntityManager, query: { organizationId: string; dueUntil: Temporal.Instant }): Promise<number> {
  const rows: { open: number }[] = await manager.query(
    `select count(*)::int as open from due_acts where organization_id = $1 and done_at is null and due_at <= $2`,
    [query.organizationId, timestampText(query.dueUntil)],
  );
  return rows[0]?.open ?? 0;
}

/** An act that is there already is left as it is. */
export async function insertDueActs(manager: EntityManager, options: { organizationId: string; acts: readonly NewDueAct[] }): Promise<void> {
  if (options.acts.length === 0) return;
  const rows = options.acts.map((act) => ({
    kind: act.kind, subscription_id: act.subscriptionId, period_index: act.periodIndex, due_at: timestampText(act.dueAt),
  }));
  await manager.query(
    `insert into due_acts (organization_id, kind, subscription_id, period_index, due_at)
     select $1, given.* from json_to_recordset($2::json) as given (kind text, subscription_id text, period_index int, due_at timestamptz)
     on conflict on constraint due_acts_once do nothing`,
    [options.organizationId, JSON.stringify(rows)],
  );
}

export async function finishDueActs(manager: EntityManager, done: { ids: readonly bigint[]; systemNow: Temporal.Instant }): Promise<void> {
  await manager.query(`update due_acts set done_at = $2, next_try_at = null where id = any($1::bigint[])`, [done.ids.map(String), timestampText(done.systemNow)]);
}

/** Changes when an open act is due: earlier for an invoice that is finalized by hand, later or earlier for a subscription that changed. */
export async function moveDueAct(manager: EntityManager, move: { id: bigint; dueAt: Temporal.Instant }): Promise<void> {
  await manager.query(`update due_acts set due_at = $2, next_try_at = null where id = $1 and done_at is null`, [move.id.toString(), timestampText(move.dueAt)]);
}

export async function deleteDueAct(manager: EntityManager, id: bigint): Promise<void> {
  await manager.query(`delete from due_acts where id = $1 and done_at is null`, [id.toString()]);
}

/** Notes the first sight of acts that wait for usage. */
export async function noteWaiting(manager: EntityManager, noted: { ids: readonly bigint[]; since: Temporal.Instant }): Promise<void> {
  await manager.query(
    `update due_acts set waiting_since = $2 where id = any($1::bigint[]) and waiting_since is null`, [noted.ids.map(String), timestampText(noted.since)]);
}

export async function noteRequested(manager: EntityManager, noted: { ids: readonly bigint[]; at: Temporal.Instant }): Promise<void> {
  await manager.query(`update due_acts set requested_at = $2 where id = any($1::bigint[])`, [noted.ids.map(String), timestampText(noted.at)]);
}

/** Puts a failed act off, twice as long after each failure, at most ten minutes. */
export async function deferDueActs(manager: EntityManager, deferred: { ids: readonly bigint[]; systemNow: Temporal.Instant }): Promise<void> {
  await manager.query(
    `update due_acts set attempts = attempts + 1, next_try_at = $2::timestamptz + least(interval '10 minutes', interval '1 second' * power(2, least(attempts, 10)))
      where id = any($1::bigint[])`,
    [deferred.ids.map(String), timestampText(deferred.systemNow)],
  );
}
