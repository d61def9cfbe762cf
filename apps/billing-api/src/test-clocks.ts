import type { EntityManager } from 'typeorm';
import { anyInvoiceExists, readTestClock, testClockLeasesOverMs, type Database, type ReadOrganization, type TestClock } from '#persistence';
import { accepted, refused, type Clock, type JobQueue, type Outcome } from '#platform';
import { invoicingQueue, sweepJob } from '#contracts';

export type SetClockRefusal = 'live_organization' | 'clock_advancing' | 'invoice_exists';

/** Reads and freezes the business time of the caller's organization. */
export class TestClocks {
  constructor(
    private readonly stores: { readonly database: Database; readonly readOrganization: ReadOrganization; readonly clock: Clock; readonly jobs: JobQueue },
  ) {}

  /** `now` is system time where the clock was never set. */
  async read(organizationId: string): Promise<Outcome<TestClock & { readonly now: Temporal.Instant }, 'live_organization'>> {
    const organization = await this.stores.readOrganization(organizationId);
    if (organization.mode === 'live') return liveOrganization();
    const testClock = await this.stores.database.inOrganization(organizationId, (manager) => readTestClock(manager, organizationId));
    return accepted({ ...testClock, now: testClock.now ?? this.stores.clock.now() });
  }

  /** Any instant, also an earlier one, for as long as nothing was invoiced by it. */
  async set(organizationId: string, now: Temporal.Instant): Promise<Outcome<TestClock & { readonly now: Temporal.Instant }, SetClockRefusal>> {
    const { database, jobs, readOrganization } = this.stores;
    const organization = await readOrganization(organizationId);
    if (organization.mode === 'live') return liveOrganization();
    const outcome = await database.inOrganization(organizationId, async (manager): Promise<Outcome<TestClock & { readonly now: Temporal.Instant }, SetClockRefusal>> => {
      const testClock = await lockTestClock(manager, organizationId);
      if (testClock.status === 'advancing') return clockAdvancing(testClock);
      if (await anyInvoiceExists(manager, organizationId)) {
        return { ...refused('invoice_exists', 'Invoices were made by this clock; from now on it can only be advanced.'), extensions: { allowed: ['advance'] } };
      }
      await manager.query('update test_clocks set now = $2 where organization_id = $1', [organizationId, now.toString()]);
      return accepted({ ...testClock, now });
    });
    if (outcome.ok) {
      await jobs.add(invoicingQueue, [sweepJob]);
      await this.stores.clock.sleep(testClockLeasesOverMs); // Whoever reads the answer finds the new time everywhere.
    }
    return outcome;
  }
}

/** The organization's clock, made where it is missing and held until the transaction ends. */
export async function lockTestClock(manager: EntityManager, organizationId: string): Promise<TestClock> {
  await manager.query('insert into test_clocks (organization_id) values ($1) on conflict do nothing', [organizationId]);
  return readTestClock(manager, organizationId, { forUpdate: true });
}

export function liveOrganization(): Outcome<never, 'live_organization'> {
  return refused('live_organization', 'A live organization lives in system time; make a test organization for this.');
}

export function clockAdvancing(testClock: TestClock): Outcome<never, 'clock_advancing'> {
  const target = testClock.target?.toString() ?? '';
  return { ...refused('clock_advancing', `The clock is on its way to ${target}.`), extensions: { clock: { status: testClock.status, target } } };
}
