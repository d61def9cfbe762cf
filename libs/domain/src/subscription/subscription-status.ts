import { contains, type Period } from '../period/period.js';

/** `scheduled` has a start in the future; `canceled` has ended and stays so. */
export const subscriptionStatuses = ['scheduled', 'trialing', 'active', 'canceled'] as const;
export type SubscriptionStatus = (typeof subscriptionStatuses)[number];

/** What can happen to a subscription. All but `cancel` come with time alone. */
export const subscriptionEvents = ['start', 'start_trial', 'end_trial', 'cancel'] as const;
export type SubscriptionEvent = (typeof subscriptionEvents)[number];

/** The whole lifecycle. An event without an entry can't happen in that status. A cancellation at the period's end is a `cancel` then. */
export const subscriptionTransitions: Readonly<Record<SubscriptionStatus, Readonly<Partial<Record<SubscriptionEvent, SubscriptionStatus>>>>> = {
  scheduled: { start: 'active', start_trial: 'trialing', cancel: 'canceled' },
  trialing: { end_trial: 'active', cancel: 'canceled' },
  active: { cancel: 'canceled' },
  canceled: {},
};

/** The status after the event; null where it can't happen. */
export function subscriptionStatusAfter(status: SubscriptionStatus, event: SubscriptionEvent): SubscriptionStatus | null {
  return subscriptionTransitions[status][event] ?? null;
}

/** The status at an instant of business time; the end belongs to `canceled`. */
export function subscriptionStatusAt(
  life: { startAt: Temporal.Instant; trial: Period | null; endAt?: Temporal.Instant | null | undefined },
  now: Temporal.Instant,
): SubscriptionStatus {
  const { startAt, trial, endAt } = life;
  if (endAt !== null && endAt !== undefined && Temporal.Instant.compare(now, endAt) >= 0) return 'canceled';
  if (Temporal.Instant.compare(now, startAt) < 0) return 'scheduled';
  return trial !== null && contains(trial, now) ? 'trialing' : 'active';
}
