import type { BillingSchedule, Period } from '#domain';
import type { PlanVersion } from './plan-tables.js';
import type { SubscriptionRecord } from './subscription-table.js';

/** What is kept of a subscription names its anchor and its trial's end, so its boundaries depend on nothing that changes later. */
export function scheduleOf({ subscription, plan }: { readonly subscription: SubscriptionRecord; readonly plan: Pick<PlanVersion, 'billingPeriod'> }): BillingSchedule {
  return {
    recurrence: { anchor: subscription.billingAnchor, timeZone: subscription.timeZone, interval: plan.billingPeriod },
    trial: trialOf(subscription),
    firstStart: subscription.trialEndAt ?? subscription.startAt,
    endAt: subscription.cancelAt,
  };
}

export function trialOf({ startAt, trialEndAt }: Pick<SubscriptionRecord, 'startAt' | 'trialEndAt'>): Period | null {
  return trialEndAt === null ? null : { start: startAt, end: trialEndAt };
}
