import { LRUCache } from 'lru-cache';
import { wholeMicrosecond } from '#domain';
import type { Clock } from '#platform';
import type { Database } from '../database.js';
import type { ReadOrganization } from './organization-reader.js';
import { readTestClock, testClockLeaseMs } from './test-clock-table.js';

const leasesMax = 10_000;

/** Where a test clock stands; null is system time. */
interface Lease {
  readonly now: Temporal.Instant | null;
}

export interface BusinessClockOptions {
  readonly database: Database;
  readonly readOrganization: ReadOrganization;
  readonly clock: Clock;
  /** Whether a read holds for a moment, for those who ask at every request. */
  readonly hasLeases?: boolean;
}

/**
 * What an organization's now is: system time for live ones; for test ones whatever their test clock says. Never stale: a
 * reader gets what a query says that began after it asked, and all who wait meanwhile share the next query.
 *
 * With leases, what a query said of a clock that was not on its way holds for `testClockLeaseMs` from before the query:
 * whoever moves a clock waits until all leases are over, before it moves or before the move is answered.
 */
export class BusinessClock {
  private readonly reads = new Map<string, { running: Promise<Temporal.Instant>; next: Promise<Temporal.Instant> | null }>();
  private readonly leases: LRUCache<string, Lease> | null;

  constructor(private readonly options: BusinessClockOptions) {
    this.leases = options.hasLeases === true ? new LRUCache({ max: leasesMax, ttl: testClockLeaseMs, ttlResolution: 0 }) : null;
  }

  async now(organizationId: string): Promise<Temporal.Instant> {
    const organization = await this.options.readOrganization(organizationId);
    const now = organization.mode === 'live' ? this.options.clock.now() : await this.readTest(organizationId);
    return wholeMicrosecond(now); // What is stored of it is what was said.
  }

  private readTest(organizationId: string): Temporal.Instant | Promise<Temporal.Instant> {
    const leased = this.leases?.get(organizationId);
    return leased === undefined ? this.readShared(organizationId) : (leased.now ?? this.options.clock.now());
  }

  private readShared(organizationId: string): Promise<Temporal.Instant> {
    const current = this.reads.get(organizationId);
    if (current === undefined) return this.start(organizationId);
    current.next ??= current.running.then(() => undefined, () => undefined).then(() => this.start(organizationId));
    return current.next;
  }

  private start(organizationId: string): Promise<Temporal.Instant> {
    const running = this.readNow(organizationId);
    const read = { running, next: null };
    this.reads.set(organizationId, read);
    const forget = (): void => {
      if (this.reads.get(organizationId) === read && read.next === null) this.reads.delete(organizationId);
    };
    running.then(forget, forget);
    return running;
  }

  private async readNow(organizationId: string): Promise<Temporal.Instant> {
    const askedAtMs = performance.now();
    const testClock = await this.options.database.inOrganization(organizationId, (manager) => readTestClock(manager, organizationId));
    if (testClock.status === 'ready') this.leases?.set(organizationId, { now: testClock.now }, { start: askedAtMs });
    return testClock.now ?? this.options.clock.now();
  }
}
