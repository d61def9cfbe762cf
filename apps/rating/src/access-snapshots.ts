import { LRUCache } from 'lru-cache';
import { accepted } from '#platform';
import type { AccessQuestion, AccessSnapshot, SnapshotOutcome } from './access-snapshot.js';
import { SnapshotReads, type SnapshotReadsOptions } from './snapshot-reads.js';
import type { SubscriptionStamps } from './subscription-stamps.js';

interface HeldSnapshot {
  readonly question: AccessQuestion;
  readonly snapshot: AccessSnapshot;
  /** When its reading began, on the process's own clock. */
  readonly readAtMs: number;
  /** Whether it answered since it was read. */
  isInUse: boolean;
  isBeingRead: boolean;
}

export const snapshotHoldMs = 1_000;
const heldMax = 10_000;
/** A price with more groups is read each time, so that what is held stays small. */
const usageRowsMax = 1_000;

/**
 * Holds snapshots for a moment, so that a gateway may ask at every call. What was used is at most `holdMs` older than the answer. What is asked
 * for again is read anew before it is too old, while the one at hand answers: of an organization all that is in use together, so that they come
 * due together the next time as well.
 */
export class AccessSnapshots {
  private readonly held = new LRUCache<string, HeldSnapshot>({ max: heldMax, dispose: (held, key) => this.drop(held, key) });
  private readonly ofOrganizations = new Map<string, Map<string, HeldSnapshot>>();
  private readonly reads: SnapshotReads;

  constructor(private readonly use: SnapshotReadsOptions & { readonly stamps: SubscriptionStamps; readonly holdMs: number; readonly elapsedMs: () => number }) {
    this.reads = new SnapshotReads({ load: (organizationId, questions) => this.load(organizationId, questions) });
  }

  /** The snapshot that holds for a question without a look at the stores; null where none does. */
  holding(question: AccessQuestion): AccessSnapshot | null {
    const held = this.young(keyOf(question));
    if (held === null || this.use.stamps.holding(stampedOf(held)) !== held.snapshot.found.stamp) return null;
    return this.used(held);
  }

  /** The same after a look at the customer's subscriptions and the test clock, so that it has every change that was made before. */
  async read(question: AccessQuestion): Promise<SnapshotOutcome> {
    const key = keyOf(question);
    const before = this.held.get(key);
    if (before === undefined) return this.reads.read(key, question);
    const stamp = await this.use.stamps.read(stampedOf(before));
    const held = this.young(key); // Another question may have read it anew meanwhile.
    return held === null || held.snapshot.found.stamp !== stamp ? this.reads.read(key, question) : accepted(this.used(held));
  }

  private young(key: string): HeldSnapshot | null {
    const held = this.held.get(key);
    return held === undefined || this.ageMs(held) >= this.use.holdMs ? null : held;
  }

  private used(held: HeldSnapshot): AccessSnapshot {
    held.isInUse = true;
    if (!held.isBeingRead && this.ageMs(held) >= this.use.holdMs / 2) this.renew(held.question.organizationId);
    return held.snapshot;
  }

  /** Reads what an organization's callers use anew, but for what was read just now. */
  private renew(organizationId: string): void {
    for (const [key, held] of this.ofOrganizations.get(organizationId) ?? []) {
      if (!held.isInUse || held.isBeingRead || this.ageMs(held) < this.use.holdMs / 4) continue;
      held.isBeingRead = true;
      this.reads.read(key, held.question).catch(() => {
        held.isBeingRead = false; // Whoever asks next hears of what is away.
      });
    }
  }

  private ageMs({ readAtMs }: HeldSnapshot): number {
    return this.use.elapsedMs() - readAtMs;
  }

  private async load(organizationId: string, questions: readonly AccessQuestion[]): Promise<readonly SnapshotOutcome[]> {
    const readAtMs = this.use.elapsedMs();
    const outcomes = await this.use.load(organizationId, questions);
    for (const [index, question] of questions.entries()) {
      const outcome = outcomes[index];
      const key = keyOf(question);
      if (outcome?.ok === true && outcome.value.marginal.usageRows <= usageRowsMax) this.hold(key, { question, snapshot: outcome.value, readAtMs, isInUse: false, isBeingRead: false });
      else this.held.delete(key);
    }
    return outcomes;
  }

  private hold(key: string, held: HeldSnapshot): void {
    this.held.set(key, held); // Which drops the one before.
    const { organizationId } = held.question;
    const ofOrganization = this.ofOrganizations.get(organizationId) ?? new Map<string, HeldSnapshot>();
    this.ofOrganizations.set(organizationId, ofOrganization.set(key, held));
  }

  private drop({ question: { organizationId } }: HeldSnapshot, key: string): void {
    const ofOrganization = this.ofOrganizations.get(organizationId);
    ofOrganization?.delete(key);
    if (ofOrganization?.size === 0) this.ofOrganizations.delete(organizationId);
  }
}

function stampedOf({ question: { organizationId }, snapshot }: HeldSnapshot): { organizationId: string; customerId: string } {
  return { organizationId, customerId: snapshot.found.customer.id };
}

function keyOf({ organizationId, customer, feature }: AccessQuestion): string {
  return JSON.stringify([organizationId, customer, feature]);
}
