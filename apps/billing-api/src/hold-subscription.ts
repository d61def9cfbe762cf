import type { EntityManager } from 'typeorm';
import { later, subscriptionStatusAfter, type Period } from '#domain';
import { findOrganization, holdBilling, readBilledUntil, readCustomers, readSubscription, type Organization } from '#persistence';
import { accepted, assert, refused, type Outcome } from '#platform';
import { statusOf, withStages, type FeePreview, type SubscriptionView } from './subscription-schedule.js';

export type HoldRefusal = 'not_found' | 'already_canceled';

export interface HeldSubscription {
  readonly view: SubscriptionView;
  readonly organization: Organization;
}

/** What an act made of a subscription, or would make. */
export interface ActedSubscription {
  readonly view: SubscriptionView;
  /** The period that the act ends, or falls on the end of; null before the first one. */
  readonly period: Period | null;
  /** Of a preview. */
  readonly fees: FeePreview | null;
}

/**
 * A subscription that has not ended, held until the transaction ends, with all that an act on it looks at. A boundary that was billed while the act was on its
 * way came before it, so the view's now is never earlier.
 */
export async function holdSubscription(manager: EntityManager, wanted: { organizationId: string; id: string; now: Temporal.Instant }): Promise<Outcome<HeldSubscription, HoldRefusal>> {
  const { organizationId, id } = wanted;
  await manager.query('select 1 from subscriptions where id = $1 for update', [id]);
  const subscription = await readSubscription(manager, id);
  if (subscription === null) return refused('not_found', 'There is no such subscription.');
  await holdBilling(manager, [id]);
  const [termed] = await withStages(manager, [{ subscription }]);
  assert(termed !== undefined, 'A subscription has its plan versions.');
  const now = later(wanted.now, (await readBilledUntil(manager, [termed])).get(id) ?? wanted.now);
  const status = statusOf(subscription, now);
  if (subscriptionStatusAfter(status, 'cancel') === null) {
    return { ...refused('already_canceled', 'The subscription has ended and stays so.'), extensions: { subscription: { status }, allowed: [] } };
  }
  const [customer] = await readCustomers(manager, [subscription.customerId]);
  const organization = await findOrganization(manager, organizationId);
  assert(customer !== undefined && organization !== null, 'A subscription has its customer and its organization.');
  return accepted({ view: { ...termed, customerKey: customer.key, now }, organization });
}
