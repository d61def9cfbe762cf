import type { EntityManager } from 'typeorm';
import { billingPeriodContaining } from '#domain';
import {
  findChangedRatings, readChangedClosedPeriods, readSubscribedPlans, readSubscriptions, scheduleOf, type ClosedPeriod, type Database, type Organization, type RatedPeriod, type SubscribedPlan, type SubscriptionRecord,
} from '#persistence';
import { assert } from '#platform';
import type { PeriodToRate } from './period-to-rate.js';
import type { RateOnBasisCommand } from './rate-on-basis.js';

/** Periods of one usage query. */
const blockMax = 200;
/** Of one job. A subscription with daily periods reaches it after 27 years. */
const periodsMax = 10_000;

export interface ClosedPeriodsToRate {
  readonly closed: readonly PeriodToRate[];
  /** Subscriptions whose closed periods are too many for this job: they stay due. */
  readonly postponed: ReadonlySet<string>;
}

/** Rates closed periods whose usage has changed since, each by the plan version that it was closed with. */
export class RateClosedPeriods {
  constructor(private readonly use: { readonly database: Database; readonly ratePeriods: { execute(command: RateOnBasisCommand): Promise<readonly RatedPeriod[]> } }) {}

  /** What is to be rated again of these subscriptions. Read in the transaction that notes their generations. */
  async load(manager: EntityManager, subscriptionIds: readonly string[]): Promise<ClosedPeriodsToRate> {
    const found = await readChangedClosedPeriods(manager, { subscriptionIds, limit: periodsMax + 1 });
    // In order of subscription: the last one of a full answer may be cut, and those after it are missing.
    const cutAt = found.length > periodsMax ? found.at(-1)?.subscriptionId : undefined;
    const postponed = new Set(cutAt === undefined ? [] : subscriptionIds.filter((id) => id >= cutAt));
    const closed = found.filter(({ subscriptionId }) => !postponed.has(subscriptionId));
    return { closed: closed.length === 0 ? [] : await this.withTerms(manager, closed), postponed };
  }

  /** Closed periods on the terms that they were closed with. */
  async withTerms(manager: EntityManager, closed: readonly ClosedPeriod[]): Promise<readonly PeriodToRate[]> {
    const subscriptions = await readSubscriptions(manager, { ids: [...new Set(closed.map(({ subscriptionId }) => subscriptionId))] });
    const plans = await readSubscribedPlans(manager, subscriptions);
    const byId = new Map(subscriptions.map((subscription) => [subscription.id, subscription]));
    return closed.map((period) => {
      const subscription = byId.get(period.subscriptionId);
      assert(subscription !== undefined, 'A closed period belongs to a subscription.');
      return toRate(period, { subscription, plans: plans.get(subscription.id) ?? [] });
    });
  }

  /** What is as it was closed is not kept, so its events are not read for digests. */
  async rate(periods: readonly PeriodToRate[], command: { organization: Organization; generations: ReadonlyMap<string, bigint> }): Promise<readonly RatedPeriod[]> {
    const proving: RateOnBasisCommand['proving'] = async (rated) =>
      this.use.database.inOrganization(command.organization.id, async (manager) => new Set(await findChangedRatings(manager, rated)));
    const rated: RatedPeriod[] = [];
    for (let at = 0; at < periods.length; at += blockMax) {
      const block = periods.slice(at, at + blockMax);
      const now = block.map(({ billing }) => billing.period.end).reduce((first, second) => (Temporal.Instant.compare(first, second) >= 0 ? first : second));
      rated.push(...(await this.use.ratePeriods.execute({ ...command, periods: block, now, isFinal: true, proving })));
    }
    return rated;
  }
}

/** The period as it was closed, on the terms that it was closed with; what it is a part of follows from the schedule, whatever end it has by now. */
function toRate(closed: ClosedPeriod, terms: { subscription: SubscriptionRecord; plans: readonly SubscribedPlan[] }): PeriodToRate {
  const { subscription, plans } = terms;
  const [first] = plans;
  assert(first !== undefined, 'A subscription has a plan.');
  const schedule = scheduleOf({ subscription, plan: first });
  const containing = billingPeriodContaining({ ...schedule, endAt: null }, closed.start);
  assert(containing !== null, 'A closed period began after the subscription did.');
  const plan = plans[containing.stage];
  assert(plan?.planId === closed.planId && plan.version === closed.planVersion, 'What has been billed keeps its plan version.');
  const billing = { ...containing, number: closed.periodIndex, period: { start: closed.start, end: closed.end } };
  return { subscription, plan, billing, schedule, stages: plans, ...(closed.rounding === null ? {} : { rounding: closed.rounding }) };
}
