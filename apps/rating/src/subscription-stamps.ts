import { LRUCache } from 'lru-cache';
import { readSubscriptionStamps, type Database, type SubscriptionStamp } from '#persistence';
import { JointReads } from './joint-reads.js';

interface StampedCustomer {
  readonly organizationId: string;
  readonly customerId: string;
}

interface HeldStamp {
  readonly text: string;
  /** When its reading began, on the process's own clock. */
  readonly readAtMs: number;
}

export interface SubscriptionStampsOptions {
  readonly database: Database;
  readonly holdMs: number;
  readonly elapsedMs: () => number;
}

const heldMax = 10_000;

/**
 * Reads the stamps of customers for all who wait for one, in one statement, which begins after they asked. What it said holds for `holdMs` from
 * before the statement, unless the organization's test clock was on its way; whoever moves a clock waits until that is over.
 */
export class SubscriptionStamps {
  private readonly reads = new JointReads<ReadonlyMap<string, SubscriptionStamp>>(() => this.readAsked());
  private readonly held = new LRUCache<string, HeldStamp>({ max: heldMax });
  private asked = new Map<string, { readonly organizationId: string }>();

  constructor(private readonly use: SubscriptionStampsOptions) {}

  /** What holds at present, or null. What is asked for again is read anew before it is too old, all of it in one statement. */
  holding({ organizationId, customerId }: StampedCustomer): string | null {
    const held = this.held.get(customerId);
    if (held === undefined) return null;
    const ageMs = this.use.elapsedMs() - held.readAtMs;
    if (ageMs >= this.use.holdMs) return null;
    this.asked.set(customerId, { organizationId });
    if (ageMs >= this.use.holdMs / 2 && !this.reads.isReading) this.reads.read().catch(() => undefined); // Whoever asks next hears of what is away.
    return held.text;
  }

  /** As it is now. */
  async read({ organizationId, customerId }: StampedCustomer): Promise<string | null> {
    this.asked.set(customerId, { organizationId });
    const stamps = await this.reads.read();
    return stamps.get(customerId)?.text ?? null;
  }

  private async readAsked(): Promise<ReadonlyMap<string, SubscriptionStamp>> {
    const { asked } = this;
    this.asked = new Map();
    const readAtMs = this.use.elapsedMs();
    const stamps = await this.use.database.onceAcrossOrganizations((manager) => readSubscriptionStamps(manager, asked));
    for (const [customerId, { text, isClockMoving }] of stamps) {
      if (isClockMoving) this.held.delete(customerId);
      else this.held.set(customerId, { text, readAtMs });
    }
    return stamps;
  }
}
