import { readSubscriptionStamps, type Database } from '#persistence';
import { JointReads } from './joint-reads.js';

/** Reads the stamps of customers for all who wait for one, in one statement, which begins after they asked. */
export class SubscriptionStamps {
  private readonly reads = new JointReads<ReadonlyMap<string, string>>();
  private asked = new Map<string, { readonly organizationId: string }>();

  constructor(private readonly database: Database) {}

  async read({ organizationId, customerId }: { organizationId: string; customerId: string }): Promise<string | null> {
    this.asked.set(customerId, { organizationId });
    const stamps = await this.reads.read('all', () => this.start());
    return stamps.get(customerId) ?? null;
  }

  private start(): Promise<ReadonlyMap<string, string>> {
    const { asked } = this;
    this.asked = new Map();
    return this.database.onceAcrossOrganizations((manager) => readSubscriptionStamps(manager, asked));
  }
}
