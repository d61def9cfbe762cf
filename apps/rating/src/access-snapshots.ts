import { LRUCache } from 'lru-cache';
import type { MeasuredFeature } from '#persistence';
import { accepted, type Outcome } from '#platform';
import type { CustomerGrants } from './customer-grants.js';
import type { MeasuredGrants } from './measure-grants.js';
import type { MarginalBasis } from './read-marginal-amount.js';
import { JointReads } from './joint-reads.js';
import type { SubscriptionStamps } from './subscription-stamps.js';

/** What is asked about: one feature of one customer, each by id or key. */
export interface AccessQuestion {
  readonly organizationId: string;
  readonly customer: string;
  readonly feature: string;
}

/** All that the answers to one question follow from, whatever quantity they are about, as the stores had it at one time. */
export interface AccessSnapshot extends MeasuredGrants {
  readonly feature: MeasuredFeature;
  readonly found: CustomerGrants;
  readonly marginal: MarginalBasis;
}

export type SnapshotOutcome = Outcome<AccessSnapshot, 'not_found'>;

interface HeldSnapshot {
  readonly snapshot: AccessSnapshot;
  /** When its reading began, on the process's own clock. */
  readonly readAtMs: number;
}

export const snapshotHoldMs = 1_000;
const heldMax = 10_000;
/** A price with more groups is read each time, so that what is held stays small. */
const usageRowsMax = 1_000;

/**
 * Holds snapshots for a moment, so that a gateway may ask at every call. What was used is at most `holdMs` older than the answer; subscriptions
 * and the test clock are looked at for each question, so a change of those is in the next answer. What is asked for again is read anew
 * before it is too old, while the one at hand answers.
 */
export class AccessSnapshots {
  private readonly held = new LRUCache<string, HeldSnapshot>({ max: heldMax });
  private readonly reads = new JointReads<SnapshotOutcome>();

  constructor(private readonly use: { readonly load: (question: AccessQuestion) => Promise<SnapshotOutcome>; readonly stamps: SubscriptionStamps; readonly holdMs: number; readonly elapsedMs: () => number }) {}

  async read(question: AccessQuestion): Promise<SnapshotOutcome> {
    const key = JSON.stringify([question.organizationId, question.customer, question.feature]);
    const before = this.held.get(key);
    if (before === undefined) return this.load(key, question);
    const stamp = await this.use.stamps.read({ organizationId: question.organizationId, customerId: before.snapshot.found.customer.id });
    const held = this.held.get(key) ?? before; // Another question may have read it anew meanwhile.
    const ageMs = this.use.elapsedMs() - held.readAtMs;
    if (held.snapshot.found.stamp !== stamp || ageMs >= this.use.holdMs) return this.load(key, question);
    if (ageMs >= this.use.holdMs / 2 && !this.reads.isReading(key)) this.load(key, question).catch(() => undefined); // Whoever asks next hears of what is away.
    return accepted(held.snapshot);
  }

  private load(key: string, question: AccessQuestion): Promise<SnapshotOutcome> {
    return this.reads.read(key, async () => {
      const readAtMs = this.use.elapsedMs();
      const outcome = await this.use.load(question);
      if (outcome.ok && outcome.value.marginal.usageRows <= usageRowsMax) this.held.set(key, { snapshot: outcome.value, readAtMs });
      else this.held.delete(key);
      return outcome;
    });
  }
}
