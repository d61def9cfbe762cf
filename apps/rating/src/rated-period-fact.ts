import type { RatedPeriodFact } from '#contracts';
import type { RatedPeriod } from '#persistence';

/** What all facts of a period begin with. */
export function ratedPeriodFact(period: RatedPeriod): RatedPeriodFact {
  return {
    v: 1,
    organization: period.organizationId,
    subscription: period.subscriptionId,
    customer: period.customerId,
    plan: period.planId,
    plan_version: period.planVersion,
    period_index: period.periodIndex,
    period: { from: period.start.toString(), to: period.end.toString() },
  };
}
