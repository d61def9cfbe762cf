import type { EntityManager } from 'typeorm';
import { anyUnadoptedSubscription, countOpenActs, countOpenOutbox, readClockRun } from '#persistence';

/** Tries after which a payment that the provider refuses no longer holds the clock up. */
const triesMax = 6;

export interface Advance {
  readonly organizationId: string;
  readonly to: Temporal.Instant;
  /** System time. */
  readonly calledAt: Temporal.Instant;
  /** This call set the target; false where it joined an advance that was under way. */
  readonly isFirst: boolean;
}

/** How many acts were done where everything due until the target is done; null before that. */
export async function readAdvanceProgress(manager: EntityManager, advance: Advance): Promise<number | null> {
  const { organizationId, to, calledAt } = advance;
  const run = await readClockRun(manager, organizationId);
  if (run === null || run.doneAt === null || !run.target.equals(to)) return null;
  if (Temporal.Instant.compare(run.doneAt, calledAt) >= 0) return run.ran;
  if (!advance.isFirst) return run.ran;
  // The clock was set back after an earlier advance to the same instant, whose run says nothing about this one.
  if ((await countOpenActs(manager, { organizationId, dueUntil: to })) > 0) return null;
  if ((await countOpenOutbox(manager, { organizationId, triesMax })) > 0) return null;
  if (await anyUnadoptedSubscription(manager, organizationId)) return null;
  const rows: { acts: number }[] = await manager.query(
    'select count(*)::int as acts from due_acts where organization_id = $1 and done_at >= $2', [organizationId, calledAt.toString()]);
  return rows[0]?.acts ?? 0;
}
