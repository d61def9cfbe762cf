import { aggregatorGroup, invoicingQueue, sweepJob, topics } from '#contracts';
import { readTestClock, testClockLeasesOverMs, type Database, type ReadOrganization } from '#persistence';
import { accepted, Fault, refused, type Clock, type EventLog, type JobQueue, type Outcome } from '#platform';
import { readAdvanceProgress, type Advance } from './read-advance-progress.js';
import { clockAdvancing, liveOrganization, lockTestClock } from './test-clocks.js';

export type AdvanceRefusal = 'live_organization' | 'clock_advancing' | 'not_forward';

export interface AdvancedClock {
  readonly now: Temporal.Instant;
  /** How many acts were due and are done. */
  readonly ran: number;
}

const pollFirstMs = 20;
const pollMaxMs = 250;
/** A sweep that another one swallowed is asked for again. */
const sweepAgainMs = 2_000;
const waitMaxMs = 300_000;

/**
 * Advances the business time of a test organization: every event acknowledged before the call is counted, then everything
 * due until the target is done in order, and only then is it later. A call that ends early, by a crash or by its time, is taken up
 * by calling again with the same target.
 */
export class AdvanceTestClock {
  private readonly stopping = new AbortController();

  constructor(
    private readonly stores: {
      readonly database: Database; readonly readOrganization: ReadOrganization; readonly clock: Clock; readonly jobs: JobQueue; readonly log: Pick<EventLog, 'completeAsOf'>;
    },
  ) {}

  async execute(organizationId: string, to: Temporal.Instant): Promise<Outcome<AdvancedClock, AdvanceRefusal>> {
    const { database, readOrganization, clock } = this.stores;
    const calledAt = clock.now();
    const organization = await readOrganization(organizationId);
    if (organization.mode === 'live') return liveOrganization();
    const first = await this.check(organizationId, to);
    if (!first.ok) return first;
    await this.waitUntil(calledAt, async () => Temporal.Instant.compare(await this.stores.log.completeAsOf({ topic: topics.usageEvents, group: aggregatorGroup }), calledAt) >= 0);
    const begun = await this.begin(organizationId, to);
    if (!begun.ok) return begun;
    // A clock on its way is read anew each time. Once what was read before is over too, nobody misses the moment at which it moves.
    const [ran] = await Promise.all([
      this.awaitRun({ organizationId, to, calledAt, isFirst: begun.value.isFirst }),
      clock.sleep(testClockLeasesOverMs, this.stopping.signal),
    ]);
    await database.inOrganization(organizationId, (manager) =>
      manager.query(`update test_clocks set now = target, target = null, status = 'ready' where organization_id = $1 and target = $2`, [organizationId, to.toString()]));
    return accepted({ now: to, ran });
  }

  /** Lets no call hold up the end of the process. The clock keeps its target. */
  beforeApplicationShutdown(): void {
    this.stopping.abort(new Fault({ code: 'shutting_down', detail: 'The server stops; the clock keeps its target.', retryable: true }));
  }

  private async check(organizationId: string, to: Temporal.Instant): Promise<Outcome<null, AdvanceRefusal>> {
    return this.stores.database.inOrganization(organizationId, async (manager) => {
      const testClock = await readTestClock(manager, organizationId);
      if (testClock.status === 'advancing') return testClock.target?.equals(to) === true ? accepted(null) : clockAdvancing(testClock);
      return this.isForward(testClock.now, to);
    });
  }

  private async begin(organizationId: string, to: Temporal.Instant): Promise<Outcome<{ isFirst: boolean }, AdvanceRefusal>> {
    return this.stores.database.inOrganization(organizationId, async (manager) => {
      const testClock = await lockTestClock(manager, organizationId);
      if (testClock.status === 'advancing') return testClock.target?.equals(to) === true ? accepted({ isFirst: false }) : clockAdvancing(testClock);
      const forward = this.isForward(testClock.now, to);
      if (!forward.ok) return forward;
      await manager.query(`update test_clocks set target = $2, status = 'advancing' where organization_id = $1`, [organizationId, to.toString()]);
      return accepted({ isFirst: true });
    });
  }

  private isForward(now: Temporal.Instant | null, to: Temporal.Instant): Outcome<null, 'not_forward'> {
    const from = now ?? this.stores.clock.now();
    if (Temporal.Instant.compare(to, from) > 0) return accepted(null);
    const detail = `The clock stands at ${from.toString()} and goes forward only.`;
    return refused('not_forward', detail, [{ pointer: '/to', code: 'not_forward', detail }]);
  }

  /** Waits until invoicing has done everything due; says how much that was. */
  private async awaitRun(advance: Advance): Promise<number> {
    let ran: number | null = null;
    let sweptAt: Temporal.Instant | null = null;
    await this.waitUntil(advance.calledAt, async () => {
      const now = this.stores.clock.now();
      if (sweptAt === null || now.since(sweptAt).total('milliseconds') >= sweepAgainMs) {
        await this.stores.jobs.add(invoicingQueue, [sweepJob]);
        sweptAt = now;
      }
      ran = await this.stores.database.inOrganization(advance.organizationId, (manager) => readAdvanceProgress(manager, advance));
      return ran !== null;
    });
    return ran ?? 0;
  }

  private async waitUntil(since: Temporal.Instant, isDone: () => Promise<boolean>): Promise<void> {
    for (let pollMs = pollFirstMs; !(await isDone()); pollMs = Math.min(pollMaxMs, pollMs * 2)) {
      if (this.stores.clock.now().since(since).total('milliseconds') > waitMaxMs) {
        throw new Fault({ code: 'advance_running', detail: 'The clock is still on its way. Call again with the same target.', retryable: true });
      }
      await this.stores.clock.sleep(pollMs, this.stopping.signal);
    }
  }
}
