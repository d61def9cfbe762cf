import type { EntityManager } from 'typeorm';
import { timestampText } from './timestamp-text.js';

/** What was done on a test clock's way to its target. */
export interface ClockRun {
  readonly target: Temporal.Instant;
  /** Acts done so far. */
  readonly ran: number;
  /** System time. */
  readonly startedAt: Temporal.Instant;
  /** System time at which everything due until the target was done and the payment outbox was empty; null before that. */
  readonly doneAt: Temporal.Instant | null;
}

/** The organization's last run; null where its clock was never advanced. */
export async function readClockRun(manager: EntityManager, organizationId: string): Promise<ClockRun | null> {
  const rows: { target: string; ran: number; started_at: string; done_at: string | null }[] = await manager.query(
    `select target, ran, started_at, done_at from clock_runs where organization_id = $1`, [organizationId]);
  const row = rows[0];
  if (row === undefined) return null;
  return { target: Temporal.Instant.from(row.target), ran: row.ran, startedAt: Temporal.Instant.from(row.started_at), doneAt: row.done_at === null ? null : Temporal.Instant.from(row.done_at) };
}

/** Begins a run to the target, unless one to the same target is under way or done. */
export async function beginClockRun(manager: EntityManager, run: { organizationId: string; target: Temporal.Instant }): Promise<void> {
  await manager.query(
    `insert into clock_runs as run (organization_id, target) values ($1, $2)
     on conflict (organization_id) do update set target = excluded.target, ran = 0, started_at = now(), done_at = null
     where run.target <> excluded.target`,
    [run.organizationId, timestampText(run.target)],
  );
}

/** Counts acts into the run that is under way; nothing where none is. In the transaction that does the acts. */
export async function countIntoClockRun(manager: EntityManager, counted: { organizationId: string; acts: number }): Promise<void> {
  await manager.query(`update clock_runs set ran = ran + $2 where organization_id = $1 and done_at is null`, [counted.organizationId, counted.acts]);
}

export async function finishClockRun(manager: EntityManager, run: { organizationId: string; target: Temporal.Instant; at: Temporal.Instant }): Promise<void> {
  await manager.query(
    `update clock_runs set done_at = $3 where organization_id = $1 and target = $2 and done_at is null`,
    [run.organizationId, timestampText(run.target), timestampText(run.at)],
  );
}
