import type { EntityManager } from 'typeorm';
import { invoicingQueue, sweepJob, type SubscriptionCancel } from '#contracts';
import { subscriptionStatusAfter, type Period } from '#domain';
import { findOrganization, readCustomers, readSubscription, subscriptionTable, updateRow, type SubscriptionRecord } from '#persistence';
import { accepted, assert, refused, type JobQueue, type Outcome } from '#platform';
import { currentPeriodOf, lastFees, periodEndOf, statusOf, withStages, type FeePreview, type SubscriptionView } from './subscription-schedule.js';
import type { Surroundings } from './surroundings.js';

export type CancelRefusal = 'not_found' | 'already_canceled';

export interface CanceledSubscription {
  readonly view: SubscriptionView;
  /** The period that the end closes; null before the first one. */
  readonly period: Period | null;
  readonly fees: FeePreview | null;
}

/** Ends a subscription now, with a last invoice at this instant, or at the end of its period. An end that was set may be moved until it has come. */
export class CancelSubscription {
  constructor(
    private readonly surroundings: Surroundings,
    private readonly jobs: JobQueue,
  ) {}

  async execute(organizationId: string, at: { id: string; input: SubscriptionCancel }): Promise<Outcome<CanceledSubscription, CancelRefusal>> {
    const outcome = await this.run(organizationId, at, async (manager, { cancelAt, cancelProrate, canceledAt, revision, id }) =>
      updateRow(manager, subscriptionTable, { id, set: { cancelAt, cancelProrate, canceledAt, revision } }));
    if (outcome.ok) await this.jobs.add(invoicingQueue, [sweepJob]);
    return outcome;
  }

  /** What `execute` would lead to; nothing is kept. */
  async preview(organizationId: string, at: { id: string; input: SubscriptionCancel }): Promise<Outcome<CanceledSubscription, CancelRefusal>> {
    return this.run(organizationId, at, async () => undefined);
  }

  private async run(
    organizationId: string,
    at: { id: string; input: SubscriptionCancel },
    keep: (manager: EntityManager, subscription: SubscriptionRecord) => Promise<void>,
  ): Promise<Outcome<CanceledSubscription, CancelRefusal>> {
    const now = await this.surroundings.businessClock.now(organizationId);
    return this.surroundings.database.inOrganization(organizationId, async (manager) => {
      await manager.query('select 1 from subscriptions where id = $1 for update', [at.id]);
      const existing = await readSubscription(manager, at.id);
      if (existing === null) return refused('not_found', 'There is no such subscription.');
      const status = statusOf(existing, now);
      if (subscriptionStatusAfter(status, 'cancel') === null) {
        return { ...refused('already_canceled', 'The subscription has ended and stays so.'), extensions: { subscription: { status }, allowed: [] } };
      }
      const [customer] = await readCustomers(manager, [existing.customerId]);
      const organization = await findOrganization(manager, organizationId);
      assert(customer !== undefined && organization !== null, 'A subscription has its customer and its organization.');
      const [found] = await withStages(manager, [{ subscription: existing, customerKey: customer.key, now }]);
      assert(found !== undefined, 'A subscription has its plan versions.');
      const { plan } = found;
      const cancelAt = at.input.when === 'now' ? now : periodEndOf(existing, plan, now);
      const subscription = { ...existing, cancelAt, cancelProrate: at.input.prorate ?? false, canceledAt: now, revision: existing.revision + 1n };
      await keep(manager, subscription);
      const view = { ...found, subscription };
      return accepted({ view, period: currentPeriodOf({ subscription: { ...subscription, cancelAt: null }, plan, now }), fees: lastFees(view, organization) });
    });
  }
}
