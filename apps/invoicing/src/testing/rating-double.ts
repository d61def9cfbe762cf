import type { EntityManager } from 'typeorm';
import { decimal, ratePrice, toPlain, type GroupUsage } from '#domain';
import { rateFinalSchema, type RateFinalPayload } from '#contracts';
import {
  markRatingDue, readChangedClosedPeriods, readGenerations, readPlanVersions, readSubscriptions, saveLateRatings, saveRatedPeriods, settleRatings, type Database, type RatedPeriod,
} from '#persistence';
import { assert, type JobQueue, type NewJob } from '#platform';

/** Keeps what was added until a test takes it: a queue without workers, so that a test says who runs when. */
export class KeptJobs implements JobQueue {
  readonly added: { queue: string; job: NewJob }[] = [];

  add(queue: string, jobs: readonly NewJob[]): Promise<void> {
    this.added.push(...jobs.map((job) => ({ queue, job })));
    return Promise.resolve();
  }

  work(): Promise<{ close(): Promise<void> }> {
    return Promise.resolve({ close: () => Promise.resolve() });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  take(name: string): NewJob[] {
    const taken = this.added.filter(({ job }) => job.name === name);
    for (const one of taken) this.added.splice(this.added.indexOf(one), 1);
    return taken.map(({ job }) => job);
  }
}

/** Plays the rating service with its own role: every usage price of a period has the quantity that the test says. */
export class RatingDouble {
  /** How often each period was asked for. */
  readonly asked = new Map<string, number>();
  quantityOf: (period: { subscriptionId: string; periodIndex: number }) => string = () => '0';
  /** Runs before a period is rated for the last time. */
  beforeFinal: ((period: { subscriptionId: string; periodIndex: number }) => Promise<void>) | null = null;
  /** Quantities by region, instead of one. */
  groupsOf: ((period: { subscriptionId: string; periodIndex: number }) => Record<string, string>) | null = null;

  constructor(
    private readonly database: Database,
    private readonly jobs: KeptJobs,
  ) {}

  /** Runs the last ratings that were asked for; returns how many jobs there were. */
  async runJobs(): Promise<number> {
    const jobs = this.jobs.take('rate-final');
    for (const job of jobs) {
      const payload = rateFinalSchema.parse(job.payload);
      for (const period of payload.periods) {
        await this.beforeFinal?.(period);
        await this.rate({ ...payload, periods: [period] }, { isFinal: true });
      }
    }
    return jobs.length;
  }

  async rate(command: RateFinalPayload, options: { isFinal: boolean }): Promise<void> {
    await this.database.inOrganization(command.organizationId, async (manager) => saveRatedPeriods(manager, await this.ratedPeriods(manager, command, { ...options, generation: 1n })));
  }

  /** Rates the closed periods of a subscription again, with the quantities that the test says by now. */
  async rateClosed(subscriptionId: string, organizationId = 'org_a'): Promise<void> {
    const subscriptionIds = [subscriptionId];
    await this.database.inOrganization(organizationId, async (manager) => {
      await markRatingDue(manager, { organizationId, subscriptionIds, at: Temporal.Now.instant(), lateFrom: Temporal.Instant.from('2000-01-01T00:00:00Z') });
      const generation = (await readGenerations(manager, subscriptionIds)).get(subscriptionId) ?? 0n;
      const closed = await readChangedClosedPeriods(manager, { subscriptionIds, limit: 1_000 });
      const periods = closed.map((period) => ({ subscriptionId, periodIndex: period.periodIndex, start: period.start.toString(), end: period.end.toString() }));
      await saveLateRatings(manager, await this.ratedPeriods(manager, { organizationId, periods }, { isFinal: true, generation }));
      await settleRatings(manager, [{ subscriptionId, generation, openUntil: null, ratedUntil: null }]);
    });
  }

  private async ratedPeriods(manager: EntityManager, command: RateFinalPayload, options: { isFinal: boolean; generation: bigint }): Promise<RatedPeriod[]> {
    const subscriptions = new Map((await readSubscriptions(manager, { ids: command.periods.map(({ subscriptionId }) => subscriptionId) })).map((one) => [one.id, one]));
    const rated: RatedPeriod[] = [];
    for (const period of command.periods) {
      const subscription = subscriptions.get(period.subscriptionId);
      assert(subscription !== undefined, 'A rated period has a subscription.');
      const [plan] = await readPlanVersions(manager, [{ planId: subscription.planId, version: subscription.planVersion }]);
      assert(plan !== undefined, 'A subscription has a plan.');
      const key = `${period.subscriptionId}/${period.periodIndex}`;
      if (options.isFinal) this.asked.set(key, (this.asked.get(key) ?? 0) + 1);
      const now = Temporal.Now.instant();
      const lines = plan.prices.flatMap((price) => {
        const usage = price.type === 'usage' ? this.usageOf(period) : [];
        const result = ratePrice({ price, currency: plan.currency, rounding: 'half_away_from_zero', usage });
        return result.lines.map((line) => ({
          priceId: price.id, priceKey: price.key, ref: line.ref, group: line.group, kind: price.type === 'usage' ? ('usage' as const) : ('advance' as const), description: price.name,
          quantity: toPlain(line.quantity), unroundedAmount: toPlain(line.unroundedAmount), amountMinor: line.amountMinor, currency: plan.currency, trace: result.trace,
        }));
      });
      rated.push({
        organizationId: command.organizationId, subscriptionId: period.subscriptionId, periodIndex: period.periodIndex, customerId: subscription.customerId,
        planId: subscription.planId, planVersion: subscription.planVersion, rounding: 'half_away_from_zero', start: Temporal.Instant.from(period.start), end: Temporal.Instant.from(period.end),
        isFinal: options.isFinal, completeAsOf: now, generation: options.generation, ratedAt: now, lines, days: [],
      });
    }
    return rated;
  }

  private usageOf(period: { subscriptionId: string; periodIndex: number }): GroupUsage[] {
    const groups = this.groupsOf?.(period);
    if (groups !== undefined) return Object.entries(groups).map(([region, quantity]) => ({ group: { region }, quantity: decimal(quantity) }));
    return [{ group: {}, quantity: decimal(this.quantityOf(period)) }];
  }
}
