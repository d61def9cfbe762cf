import type { AddOnBody, AddOnVersionBody, SubscriptionAddOnBody } from '#contracts';
import { addOnStart } from '#domain';
import type { AddOnVersion, SubscriptionAddOn } from '#persistence';
import { assert } from '#platform';
import type { AddOnView } from '../add-ons.js';
import { lastsBeyond } from '../fit-add-ons.js';
import type { SubscriptionView } from '../subscription-schedule.js';
import { instantText } from './wire-text.js';

function termsOf(version: AddOnVersion) {
  return {
    version: version.version,
    currency: version.currency,
    billing_period: version.billingPeriod,
    prices: version.prices.map((price) => ({ ...price })),
    plans: version.plans === null ? null : [...version.plans],
    requires: [...version.requires],
    max_quantity: version.maxQuantity,
  };
}

export function toAddOnBody({ addOn, version }: AddOnView, productKeys: ReadonlyMap<string, string>): AddOnBody {
  return {
    id: addOn.id,
    object: 'add_on',
    key: addOn.key,
    name: addOn.name,
    product: addOn.productId,
    product_key: addOn.productId === null ? null : (productKeys.get(addOn.productId) ?? null),
    ...termsOf(version),
    latest_version: addOn.latestVersion,
    archived_at: instantText(addOn.archivedAt),
    created_at: instantText(addOn.createdAt),
    metadata: addOn.metadata,
  };
}

export function toAddOnVersionBody(version: AddOnVersion): AddOnVersionBody {
  return { object: 'add_on_version', add_on: version.addOnId, ...termsOf(version), created_at: instantText(version.createdAt) };
}

/** The add-ons of a subscription in the order in which they were added: those that it has or will have, or those that it had too. */
export function toSubscriptionAddOns(view: SubscriptionView, options: { includeEnded: boolean }): SubscriptionAddOnBody[] {
  const { subscription, now } = view;
  return subscription.addOns.filter((addOn) => options.includeEnded || isAhead(addOn, view)).map((addOn) => toSubscriptionAddOn(addOn, { view, now }));
}

/** Whether it lasts beyond now, as its subscription does. */
function isAhead(addOn: SubscriptionAddOn, { subscription: { cancelAt }, now }: SubscriptionView): boolean {
  return lastsBeyond(addOn, now) && (cancelAt === null || Temporal.Instant.compare(now, cancelAt) < 0);
}

function toSubscriptionAddOn(addOn: SubscriptionAddOn, at: { view: SubscriptionView; now: Temporal.Instant }): SubscriptionAddOnBody {
  const { view, now } = at;
  const of = view.plan.addOns.find(({ id }) => id === addOn.id)?.of;
  assert(of !== undefined, 'A subscription has versions of add-ons that exist.');
  const [first] = addOn.steps;
  const present = addOn.steps.findLast((step) => Temporal.Instant.compare(step.at, now) <= 0) ?? first;
  const hasBegun = Temporal.Instant.compare(addOnStart(addOn), now) <= 0;
  return {
    id: addOn.id,
    object: 'subscription_add_on',
    add_on: addOn.addOnId,
    add_on_key: of.addOnKey,
    version: addOn.version,
    name: of.name,
    quantity: present?.quantity ?? '1',
    steps: addOn.steps.map((step) => ({ at: instantText(step.at), quantity: step.quantity, prorate: step.isProrated })),
    status: !isAhead(addOn, view) ? 'ended' : hasBegun ? 'active' : 'scheduled',
    start_at: instantText(addOnStart(addOn)),
    end_at: instantText(addOn.end?.at ?? null),
    ended_by: endedBy(addOn, view),
  };
}

function endedBy({ id, end }: SubscriptionAddOn, { subscription }: SubscriptionView): SubscriptionAddOnBody['ended_by'] {
  if (end === null) return null;
  if (end.isByChange) return 'change';
  return subscription.addOns.some(({ replaces }) => replaces === id) ? 'version' : 'removal';
}
