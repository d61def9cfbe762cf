import type { EntityManager } from 'typeorm';
import { invoicingQueue, sweepJob, type SubscriptionCancel } from '#contracts';
import { subscriptionTable, updateRow, type SubscriptionRecord } from '#persistence';
import { accepted, type JobQueue, type Outcome } from '#platform';
import { holdSubscription, type ActedSubscription, type HoldRefusal } from './hold-subscription.js';
import { boundaryPreview, currentPeriodOf, lastBoundary, periodEndOf } from './subscription-schedule.js';
import type { Surroundings } from './surroundings.js';

export type CancelRefusal = HoldRefusal;

/** Ends a subscription now, with a last invoice at this instant, or at the end of its period. An end that was set may be moved until it has come. */
export class CancelSubscription {
  constructor(
    private readonly surroundings: Surroundings,
    private readonly jobs: JobQueue,
  ) {}

  async execute(organizationId: string, at: { id: string; input: SubscriptionCancel }): Promise<Outcome<ActedSubscription, CancelRefusal>> {
    const outcome = await this.run(organizationId, at, async (manager, { cancelAt, cancelProrate, canceledAt, revision, id }) =>
      updateRow(manager, subscriptionTable, { id, set: { cancelAt, cancelProrate, canceledAt, revision } }));
    if (outcome.ok) await this.jobs.add(invoicingQueue, [sweepJob]);
    return outcome;
  }

  /** What `execute` would lead to; nothing is kept. */
  async preview(organizationId: string, at: { id: string; input: SubscriptionCancel }): Promise<Outcome<ActedSubscription, CancelRefusal>> {
    return this.run(organizationId, at, null);
  }

  private async run(
    organizationId: string,
    at: { id: string; input: SubscriptionCancel },
    keep: ((manager: EntityManager, subscription: SubscriptionRecord) => Promise<void>) | null,
  ): Promise<Outcome<ActedSubscription, CancelRefusal>> {
    const askedAt = await this.surroundings.businessClock.now(organizationId);
    return this.surroundings.database.inOrganization(organizationId, async (manager) => {
      const held = await holdSubscription(manager, { organizationId, id: at.id, now: askedAt });
      if (!held.ok) return held;
      const { view: before, organization } = held.value;
      const { subscription: existing, plan, now } = before;
      const cancelAt = at.input.when === 'now' ? now : periodEndOf(existing, plan, now);
      const subscription = { ...existing, cancelAt, cancelProrate: at.input.prorate ?? false, canceledAt: now, revision: existing.revision + 1n };
      await keep?.(manager, subscription);
      const view = { ...before, subscription };
      const fees = keep === null ? await boundaryPreview(manager, lastBoundary(view), { view, organization }) : null;
      return accepted({ view, period: currentPeriodOf({ subscription: { ...subscription, cancelAt: null }, plan, now }), fees });
    });
  }
}
