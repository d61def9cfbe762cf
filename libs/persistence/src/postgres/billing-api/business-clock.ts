import type { Clock } from '#platform';
import type { Database } from '../database.js';
import type { ReadOrganization } from './organization-reader.js';
import { readTestClock } from './test-clock-table.js';

/**
 * What an organization's now is: system time for live ones; for test ones whatever their test clock says. Never stale: a
 * reader gets what a query says that began after it asked, and all who wait meanwhile share the next query.
 */
export class BusinessClock {
  private readonly reads = new Map<string, { running: Promise<Temporal.Instant>; next: Promise<Temporal.Instant> | null }>();

  constructor(
    private readonly database: Database,
    private readonly readOrganization: ReadOrganization,
    private readonly clock: Clock,
  ) {}

  async now(organizationId: string): Promise<Temporal.Instant> {
    const organization = await this.readOrganization(organizationId);
    const now = organization.mode === 'live' ? this.clock.now() : await this.readShared(organizationId);
    return now.round({ smallestUnit: 'microsecond', roundingMode: 'floor' }); // What is stored of it is what was said.
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
    const testClock = await this.database.inOrganization(organizationId, (manager) => readTestClock(manager, organizationId));
    return testClock.now ?? this.clock.now();
  }
}
