import { invoicingQueue, sweepJob, type RateFinalPayload } from '#contracts';
import { billingPeriodAt } from '#domain';
import { findOrganization, markRatingDue, readGenerations, readSubscribedPlans, readSubscriptions, saveRatedPeriods, scheduleOf, type Database } from '#persistence';
import { assert, type Clock, type JobQueue } from '#platform';
import type { PeriodToRate } from './period-to-rate.js';
import type { RatePeriods } from './rate-periods.js';

/**
 * Rates ended periods for the last time and tells invoicing. Asking again changes nothing, since a final period is never
 * written again. The generation is marked, so that the period that follows is rated too.
 */
export class RateFinalPeriods {
  constructor(private readonly use: { readonly database: Database; readonly ratePeriods: RatePeriods; readonly jobs: JobQueue; readonly clock: Clock }) {}

  async execute(command: RateFinalPayload): Promise<void> {
    const { organizationId } = command;
    const loaded = await this.load(command);
    const latestEnd = loaded.periods.map(({ billing }) => billing.period.end).reduce((first, second) => (Temporal.Instant.compare(first, second) >= 0 ? first : second));
    const rated = await this.use.ratePeriods.execute({ ...loaded, now: latestEnd, isFinal: true });
    await this.use.database.inOrganization(organizationId, async (manager) => {
      await saveRatedPeriods(manager, rated);
      const subscriptionIds = [...new Set(rated.map(({ subscriptionId }) => subscriptionId))];
      await markRatingDue(manager, { organizationId, subscriptionIds, at: this.use.clock.now() });
    });
    await this.use.jobs.add(invoicingQueue, [sweepJob]);
  }

  private async load({ organizationId, periods: wanted }: RateFinalPayload) {
    return this.use.database.inOrganization(organizationId, async (manager) => {
      const ids = [...new Set(wanted.map(({ subscriptionId }) => subscriptionId))];
      const generations = await readGenerations(manager, ids);
      const organization = await findOrganization(manager, organizationId);
      assert(organization !== null, 'A subscription belongs to an organization.');
      const subscriptions = new Map((await readSubscriptions(manager, { ids })).map((subscription) => [subscription.id, subscription]));
      const plans = await readSubscribedPlans(manager, [...subscriptions.values()]);
      const periods = wanted.map((period): PeriodToRate => {
        const subscription = subscriptions.get(period.subscriptionId);
        const [first, ...later] = plans.get(period.subscriptionId) ?? [];
        assert(subscription !== undefined && first !== undefined, 'Invoicing names subscriptions that exist.');
        const billing = billingPeriodAt(scheduleOf({ subscription, plan: first }), period.periodIndex);
        assert(billing !== null && billing.period.end.equals(Temporal.Instant.from(period.end)), 'Invoicing and rating agree on when a period ends.');
        const plan = [first, ...later][billing.stage];
        assert(plan !== undefined, 'Each stage of a schedule has its plan.');
        return { subscription, plan, billing };
      });
      return { organization, generations, periods };
    });
  }
}
