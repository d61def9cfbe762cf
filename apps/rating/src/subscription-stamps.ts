import { readSubscriptionStamps, readTestClock, type Database } from '#persistence';
import { JointReads } from './joint-reads.js';

/** What a customer's grants follow from, as one text: equal while its subscriptions and the test clock are what they were. */
export function grantsStamp(of: { readonly subscriptions: string; readonly testNow: Temporal.Instant | null }): string {
  return `${of.subscriptions} ${of.testNow?.toString() ?? 'system time'}`;
}

/** Reads stamps for all who wait for one of the same organization in one query, which begins after they asked. */
export class SubscriptionStamps {
  private readonly reads = new JointReads<ReadonlyMap<string, string>>();
  private readonly asked = new Map<string, Set<string>>();

  constructor(private readonly database: Database) {}

  async read({ organizationId, customerId }: { organizationId: string; customerId: string }): Promise<string> {
    this.asked.set(organizationId, (this.asked.get(organizationId) ?? new Set()).add(customerId));
    const stamps = await this.reads.read(organizationId, () => this.start(organizationId));
    return stamps.get(customerId) ?? '';
  }

  private start(organizationId: string): Promise<ReadonlyMap<string, string>> {
    const customerIds = [...(this.asked.get(organizationId) ?? [])];
    this.asked.delete(organizationId);
    return this.database.inOrganization(organizationId, async (manager) => {
      const subscriptions = await readSubscriptionStamps(manager, customerIds);
      const { now: testNow } = await readTestClock(manager, organizationId);
      return new Map(customerIds.map((id) => [id, grantsStamp({ subscriptions: subscriptions.get(id) ?? '', testNow })]));
    });
  }
}
