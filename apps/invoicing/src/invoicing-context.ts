import type { Database } from '#persistence';
import type { Clock, EventLog, Ids, JobQueue, Logger } from '#platform';
import type { InvoicingMetrics } from './invoicing-metrics.js';

/** Every step between which a process may die. Whoever observes them learns where it is; a test dies there. */
export const sweepSteps = [
  'adopt:written', 'adopt:committed',
  'boundary:invoices-written', 'boundary:acts-written', 'boundary:committed',
  'late:drafted', 'late:committed',
  'issue:waiting-noted', 'issue:rating-requested', 'issue:numbers-taken', 'issue:lines-written', 'issue:invoices-written', 'issue:late-usage-settled', 'issue:facts-written', 'issue:outbox-written', 'issue:committed',
  'push:begun', 'push:answered', 'push:written', 'push:committed',
  'clock:finished',
] as const;
export type SweepStep = (typeof sweepSteps)[number];

/** What the use cases of this app work with. */
export interface InvoicingContext {
  readonly database: Database;
  readonly log: EventLog;
  readonly jobs: JobQueue;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** Called at each step, in the order of the work. What it throws ends the work there. */
  readonly atStep?: ((step: SweepStep) => void) | undefined;
  readonly metrics?: InvoicingMetrics | undefined;
}

/** An organization whose acts are to be done, and where its time stands. */
export interface SweptOrganization {
  readonly organizationId: string;
  /** Acts due until here are done, inclusive. */
  readonly dueUntil: Temporal.Instant;
  /** Business time as it stands; null while a clock that was never set moves to its first target. */
  readonly now: Temporal.Instant | null;
  /** On a test clock acts are done strictly in order of due time; on system time one that waits holds up its own subscription only. */
  readonly isStrict: boolean;
  readonly clockTarget: Temporal.Instant | null;
}

/** An act sees its own due time as now; one that comes late (a start in the past) sees the time at which it is done. */
export function nowOfAct(organization: SweptOrganization, dueAt: Temporal.Instant): Temporal.Instant {
  return organization.now !== null && Temporal.Instant.compare(organization.now, dueAt) > 0 ? organization.now : dueAt;
}
