import type { EntityManager } from 'typeorm';
import { invoicingQueue, sweepJob, type RateFinalPayload } from '#contracts';
import { billingPeriodAt, later } from '#domain';
import {
  findOrganization, forgetLateUsage, holdMarks, markRatingDue, readFinalPeriods, readGenerations, readSubscribedPlans, readSubscriptions, scheduleOf,
  type Database, type HeldMarks, type RatedPeriod,
} from '#persistence';
import { assert, Fault, type Clock, type JobQueue } from '#platform';
import type { AwaitUsageChanges } from './await-usage-changes.js';
import type { PeriodToRate } from './period-to-rate.js';
import type { RateClosedPeriods } from './rate-closed-periods.js';
import type { RatePeriods } from './rate-periods.js';
import { storeRatings } from './store-ratings.js';

export interface RateFinalUse {
  readonly database: Database;
  readonly ratePeriods: Pick<RatePeriods, 'execute'>;
  readonly rateClosed: RateClosedPeriods;
  readonly awaitChanges: AwaitUsageChanges;
  readonly jobs: JobQueue;
  readonly clock: Clock;
}

/**
 * Rates ended periods for the last time, earlier ones whose usage has changed with them, and tells invoicing: so the invoice of a
 * period bears all that was late by then. Asking again changes nothing, since a final period is never written, nor read, again.
 */
export class RateFinalPeriods {
  constructor(private readonly use: RateFinalUse) {}

  async execute(command: RateFinalPayload): Promise<void> {
    const { organizationId } = command;
    // What is counted is marked a moment later; without the marks late usage would miss this invoice.
    if (!(await this.use.awaitChanges.execute())) throw new Fault({ code: 'changes_pending', detail: 'Changed usage is still being marked.', retryable: true });
    const loaded = await this.load(command);
    const now = latestEnd(loaded.periods);
    const rated = await this.use.ratePeriods.execute({ ...loaded, now, isFinal: true });
    const late = await this.use.rateClosed.rate(loaded.closed, loaded);
    await this.use.database.inOrganization(organizationId, async (manager) => {
      const subscriptionIds = [...new Set(rated.map(({ subscriptionId }) => subscriptionId))];
      const current = await holdMarks(manager, subscriptionIds);
      await storeRatings(manager, { rated, late, now });
      await this.markNext(manager, { organizationId, rated, current, postponed: loaded.postponed });
    });
    await this.use.jobs.add(invoicingQueue, [sweepJob]);
  }

  /**
   * The period that follows is rated next. What changed while these were rated may be missing in them, and they are closed now: it is
   * late. Where nothing was marked meanwhile, nothing is late any more: without saying so the next rating would read again what was just rated.
   */
  private async markNext(manager: EntityManager, done: { organizationId: string; rated: readonly RatedPeriod[]; current: ReadonlyMap<string, HeldMarks>; postponed: ReadonlySet<string> }): Promise<void> {
    const { organizationId, rated, current, postponed } = done;
    const at = this.use.clock.now();
    const isUnmarked = ({ subscriptionId, generation }: RatedPeriod): boolean => (current.get(subscriptionId)?.generation ?? 0n) <= generation;
    const late = rated.filter((period) => !isUnmarked(period) && mayBeLate(period, current.get(period.subscriptionId)));
    const lateIds = new Set(late.map(({ subscriptionId }) => subscriptionId));
    await forgetLateUsage(manager, [...new Set(rated.filter(isUnmarked).map(({ subscriptionId }) => subscriptionId))].filter((id) => !postponed.has(id)));
    const inTime = [...new Set(rated.map(({ subscriptionId }) => subscriptionId))].filter((id) => !lateIds.has(id));
    await markRatingDue(manager, { organizationId, subscriptionIds: inTime, at });
    for (const [start, periods] of Map.groupBy(late, (period) => period.start.toString())) {
      const subscriptionIds = [...new Set(periods.map(({ subscriptionId }) => subscriptionId))];
      await markRatingDue(manager, { organizationId, subscriptionIds, at, lateFrom: Temporal.Instant.from(start) });
    }
  }

  private async load({ organizationId, periods: wanted }: RateFinalPayload) {
    return this.use.database.inOrganization(organizationId, async (manager) => {
      const ids = [...new Set(wanted.map(({ subscriptionId }) => subscriptionId))];
      const generations = await readGenerations(manager, ids);
      const organization = await findOrganization(manager, organizationId);
      assert(organization !== null, 'A subscription belongs to an organization.');
      const subscriptions = new Map((await readSubscriptions(manager, { ids })).map((subscription) => [subscription.id, subscription]));
      const plans = await readSubscribedPlans(manager, [...subscriptions.values()]);
      const final = new Set((await readFinalPeriods(manager, wanted)).map(keyOf));
      const periods = wanted.filter((period) => !final.has(keyOf(period))).map((period): PeriodToRate => {
        const subscription = subscriptions.get(period.subscriptionId);
        const stages = plans.get(period.subscriptionId) ?? [];
        const [first] = stages;
        assert(subscription !== undefined && first !== undefined, 'Invoicing names subscriptions that exist.');
        const schedule = scheduleOf({ subscription, plan: first });
        const billing = billingPeriodAt(schedule, period.periodIndex);
        assert(billing !== null && billing.period.end.equals(Temporal.Instant.from(period.end)), 'Invoicing and rating agree on when a period ends.');
        const plan = stages[billing.stage];
        assert(plan !== undefined, 'Each stage of a schedule has its plan.');
        return { subscription, plan, billing, schedule, stages };
      });
      return { organization, generations, periods, ...(await this.use.rateClosed.load(manager, ids)) };
    });
  }
}

/** Marked while it was rated: with usage of the period itself, or another rating has settled meanwhile what was marked before, so that nobody knows. */
function mayBeLate({ end, generation }: RatedPeriod, marks: HeldMarks | undefined): boolean {
  if (marks === undefined || marks.ratedGeneration > generation) return true;
  return marks.lateFrom !== null && Temporal.Instant.compare(marks.lateFrom, end) < 0;
}

/** Of periods that are over, all days have come. */
function latestEnd(periods: readonly PeriodToRate[]): Temporal.Instant {
  return periods.reduce((latest, { billing: { period: { end } } }) => later(latest, end), Temporal.Instant.fromEpochMilliseconds(0));
}

function keyOf({ subscriptionId, periodIndex }: { readonly subscriptionId: string; readonly periodIndex: number }): string {
  return `${subscriptionId}/${periodIndex}`;
}
