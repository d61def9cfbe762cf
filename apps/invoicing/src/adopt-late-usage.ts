import type { EntityManager } from 'typeorm';
import { ratingGroup, ratingQueue, topics, type RateOpenPayload } from '#contracts';
import { earlier, later } from '#domain';
import {
  findEndedWithLateUsage, findEndedWithStaleRating, findOrganization, holdInvoiceNumbers, insertDueActs, insertInvoices, lockBillingSchedules, lockDueAct, readClockRun, readLastIssues, readSubscriptions,
  saveBillingSchedules, saveLateSettlements, type BillingScheduleRecord, type SubscriptionRecord,
} from '#persistence';
import { assert } from '#platform';
import type { InvoicingContext } from './invoicing-context.js';
import { owesMoney, readOwedLateUsage, settlementsOf, type OwedPeriod } from './owed-late-usage.js';

const subscriptionsMax = 200;

/**
 * Makes one-off drafts for late usage of subscriptions that have ended, which have no next invoice. A draft is issued after one grace
 * period, so that what is sent late in many parts makes one document.
 */
export class AdoptLateUsage {
  constructor(
    private readonly context: InvoicingContext,
    private readonly businessNow: (organizationId: string) => Promise<Temporal.Instant>,
  ) {}

  /** Of one organization, or of all. Returns false where there may be more than one call looks at. */
  async execute(organizationId: string | null): Promise<boolean> {
    const { database, atStep } = this.context;
    const look = (manager: EntityManager) => findEndedWithLateUsage(manager, { organizationId, limit: subscriptionsMax });
    const found = await database.acrossOrganizations(look);
    for (const [id, ofOrganization] of Map.groupBy(found, (one) => one.organizationId)) {
      const now = await this.businessNow(id);
      await database.inOrganization(id, (manager) => this.adopt(manager, { organizationId: id, ids: ofOrganization.map(({ subscriptionId }) => subscriptionId), now }));
      atStep?.('late:committed');
    }
    return found.length < subscriptionsMax;
  }

  /** Whether all that was counted before a clock's run began is rated, as far as ended subscriptions are concerned; asks rating for what is not. */
  async isRated(organizationId: string): Promise<boolean> {
    const { database, log, jobs } = this.context;
    const run = await database.inOrganization(organizationId, (manager) => readClockRun(manager, organizationId));
    assert(run !== null, 'A clock on its way has a run.');
    const markedAsOf = await log.completeAsOf({ topic: topics.usageChanged, group: ratingGroup });
    if (Temporal.Instant.compare(markedAsOf, run.startedAt) < 0) return false;
    const stale = await database.inOrganization(organizationId, (manager) => findEndedWithStaleRating(manager, { organizationId, limit: subscriptionsMax }));
    if (stale.length === 0) return true;
    const payload: RateOpenPayload = { organizationId, subscriptionIds: stale };
    await jobs.add(ratingQueue, [{ name: 'rate-open', payload, deduplicationId: `rate-open_${stale[0]}_${stale.length}` }]);
    return false;
  }

  private async adopt(manager: EntityManager, found: { organizationId: string; ids: readonly string[]; now: Temporal.Instant }): Promise<void> {
    const { organizationId, ids, now } = found;
    const schedules = await lockBillingSchedules(manager, { organizationId, subscriptionIds: ids });
    // What settles late usage holds the numbers, here too.
    await holdInvoiceNumbers(manager, organizationId);
    const settings = await findOrganization(manager, organizationId);
    assert(settings !== null, 'A subscription belongs to an organization.');
    const owed = await readOwedLateUsage(manager, { organizationId, subscriptionIds: ids });
    const lastIssues = await readLastIssues(manager, ids);
    for (const subscription of await readSubscriptions(manager, { ids: [...owed.keys()] })) {
      const schedule = schedules.get(subscription.id);
      const periods = owed.get(subscription.id) ?? [];
      if (schedule === undefined || (await this.hasDraft(manager, { organizationId, schedule }))) continue;
      // A clock on its way still stands where it began, and its acts may have gone ahead of it.
      const seenAt = later(now, lastIssues.get(subscription.id) ?? now);
      if (owesMoney(periods)) await this.draft(manager, { subscription, schedule, periods, seenAt, issueAt: seenAt.add({ seconds: settings.gracePeriodSeconds }) });
      else await saveLateSettlements(manager, { organizationId, settlements: settlementsOf(periods, { invoice: null, settledAt: seenAt }) });
    }
    this.context.atStep?.('late:drafted');
  }

  /** Another process may have made it since the subscription was found. */
  private async hasDraft(manager: EntityManager, of: { organizationId: string; schedule: BillingScheduleRecord }): Promise<boolean> {
    const { organizationId, schedule } = of;
    return (await lockDueAct(manager, { organizationId, subscriptionId: schedule.subscriptionId, periodIndex: schedule.nextIndex - 1, kind: 'issue' })) !== null;
  }

  private async draft(
    manager: EntityManager,
    of: { subscription: SubscriptionRecord; schedule: BillingScheduleRecord; periods: readonly OwedPeriod[]; seenAt: Temporal.Instant; issueAt: Temporal.Instant },
  ): Promise<void> {
    const { subscription, schedule, periods, seenAt, issueAt } = of;
    const { organizationId, id: subscriptionId } = subscription;
    const periodIndex = schedule.nextIndex;
    await insertInvoices(manager, { organizationId, invoices: [{
      id: this.context.ids.make('inv'), kind: 'one_off', customerId: subscription.customerId, subscriptionId, periodIndex, closesIndex: null,
      planId: subscription.planId, planVersion: subscription.planVersion, waitingForUsage: false, currency: subscription.currency,
      collection: subscription.collection, daysUntilDue: subscription.daysUntilDue,
      periodStart: periods.map(({ late }) => late.period.start).reduce(earlier), periodEnd: periods.map(({ late }) => late.period.end).reduce(later), datedAt: seenAt,
    }] });
    await insertDueActs(manager, { organizationId, acts: [{ kind: 'issue', subscriptionId, periodIndex, dueAt: issueAt }] });
    await saveBillingSchedules(manager, { organizationId, schedules: [{ ...schedule, nextIndex: periodIndex + 1 }] });
  }
}
