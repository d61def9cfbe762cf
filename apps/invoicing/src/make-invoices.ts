import type { EntityManager } from 'typeorm';
import { boundaryFees, closingPrices, hasUsagePrice, invoicePeriod, isWorthMaking, nextBoundary, type Boundary, type InvoiceLine } from '#domain';
import {
  askForAdoption, countIntoClockRun, deferDueActs, deleteDueAct, findOrganization, finishDueActs, holdTerms, insertDueActs, insertInvoices, lockDueActs, saveBillingSchedules, scheduleOf, writeInvoiceLines,
  type BillingScheduleRecord, type DueAct, type NewDueAct, type NewInvoice, type Organization,
} from '#persistence';
import { assert } from '#platform';
import { closesCommitment } from './commitment-book.js';
import { lineId } from './derived-ids.js';
import { nowOfAct, type InvoicingContext, type SweptOrganization } from './invoicing-context.js';
import { feeTermsOf, planOfStage, readBilledSubscriptions, type BilledSubscription } from './subscription-terms.js';

const subscriptionsMax = 200;

/** What the boundaries of a block lead to. */
interface Made {
  readonly invoices: NewInvoice[];
  readonly lines: { invoiceId: string; lines: readonly InvoiceLine[] }[];
  readonly acts: NewDueAct[];
  readonly schedules: BillingScheduleRecord[];
}

/**
 * Makes the drafts of the boundaries that are due: fees at once, usage when it is issued. The next boundary becomes due in
 * the same transaction, so each is made once and none is missed.
 */
export class MakeInvoices {
  constructor(private readonly context: InvoicingContext) {}

  /** Does one block of at most 200 boundaries; returns how many. A boundary that fails is put off and holds up no other. */
  async execute(organization: SweptOrganization): Promise<number> {
    try {
      return await this.makeBlock(organization, subscriptionsMax);
    } catch (error) {
      this.context.logger.error({ err: error, organization: organization.organizationId }, 'A block of boundaries failed and is done one by one.');
    }
    let done = 0;
    for (let tries = 0; tries < subscriptionsMax; tries += 1) {
      try {
        const made = await this.makeBlock(organization, 1);
        if (made === 0) break;
        done += made;
      } catch (error) {
        if (!(await this.putOffFirst(organization, error))) throw error;
      }
    }
    return done;
  }

  private async makeBlock(organization: SweptOrganization, limit: number): Promise<number> {
    const { database, clock, atStep } = this.context;
    const { organizationId } = organization;
    const done = await database.inOrganization(organizationId, async (manager) => {
      const systemNow = clock.now();
      const acts = await lockDueActs(manager, { organizationId, kind: 'boundary', dueUntil: organization.dueUntil, systemNow, limit });
      if (acts.length === 0) return 0;
      const made = await this.make(manager, { organization, acts });
      const created = await insertInvoices(manager, { organizationId, invoices: made.invoices });
      const lines = made.lines.filter(({ invoiceId }) => created.has(invoiceId));
      const records = lines.flatMap(({ invoiceId, lines: own }) => own.map((line) => ({ ...line, invoiceId, id: lineId({ invoiceId, ref: line.ref }) })));
      await writeInvoiceLines(manager, { organizationId, lines: records, replace: false });
      atStep?.('boundary:invoices-written');
      await saveBillingSchedules(manager, { organizationId, schedules: made.schedules });
      await finishDueActs(manager, { ids: acts.map(({ id }) => id), systemNow });
      await insertDueActs(manager, { organizationId, acts: made.acts });
      await countIntoClockRun(manager, { organizationId, acts: acts.length });
      atStep?.('boundary:acts-written');
      return acts.length;
    });
    if (done > 0) atStep?.('boundary:committed');
    return done;
  }

  private async make(manager: EntityManager, block: { organization: SweptOrganization; acts: readonly DueAct[] }): Promise<Made> {
    const settings = await findOrganization(manager, block.organization.organizationId);
    assert(settings !== null, 'A due act belongs to an organization.');
    await holdTerms(manager, block.acts.map(({ subscriptionId }) => subscriptionId));
    const billed = await readBilledSubscriptions(manager, block.acts.map(({ subscriptionId }) => subscriptionId));
    const made: Made = { invoices: [], lines: [], acts: [], schedules: [] };
    for (const act of block.acts) {
      const one = billed.get(act.subscriptionId);
      assert(one !== undefined, 'A due act belongs to a subscription.');
      const boundary = nextBoundary(scheduleOf(one), act.periodIndex);
      if (boundary?.index === act.periodIndex && boundary.at.equals(act.dueAt)) this.makeOne(made, { boundary, one, settings, at: nowOfAct(block.organization, act.dueAt) });
      else await this.moveAside(manager, act);
    }
    return made;
  }

  /** The subscription changed after this boundary was set: the next adoption sets it anew. */
  private async moveAside(manager: EntityManager, act: DueAct): Promise<void> {
    await deleteDueAct(manager, act.id);
    await askForAdoption(manager, act.subscriptionId);
  }

  private makeOne(made: Made, options: { boundary: Boundary; one: BilledSubscription; settings: Organization; at: Temporal.Instant }): void {
    const { boundary, one, settings, at } = options;
    const { subscription } = one;
    const terms = feeTermsOf(one, settings);
    const plan = planOfStage(one, billedStage(boundary));
    const closesUsage = hasUsagePrice(closingPrices(boundary, terms));
    const lines = boundaryFees(boundary, terms);
    const settles = closesCommitment(one, boundary);
    const period = invoicePeriod(boundary, terms) ?? (settles || lines.length > 0 ? (boundary.closes?.period ?? null) : null);
    if (period !== null && (settles || isWorthMaking({ lines, closesUsage }))) {
      const id = this.context.ids.make('inv');
      made.invoices.push({
        id, kind: 'period', customerId: subscription.customerId, subscriptionId: subscription.id, periodIndex: boundary.index,
        closesIndex: closesUsage ? (boundary.closes?.number ?? null) : null, planId: plan.planId, planVersion: plan.version,
        waitingForUsage: closesUsage, currency: subscription.currency, collection: subscription.collection, daysUntilDue: subscription.daysUntilDue,
        periodStart: period.start, periodEnd: period.end, datedAt: at,
      });
      made.lines.push({ invoiceId: id, lines });
      const issueAt = closesUsage ? boundary.at.add({ seconds: settings.gracePeriodSeconds }) : boundary.at;
      made.acts.push({ kind: 'issue', subscriptionId: subscription.id, periodIndex: boundary.index, dueAt: issueAt });
    }
    const next = boundary.isLast ? null : nextBoundary(scheduleOf(one), boundary.index + 1);
    if (next !== null) made.acts.push({ kind: 'boundary', subscriptionId: subscription.id, periodIndex: next.index, dueAt: next.at });
    made.schedules.push({ subscriptionId: subscription.id, nextIndex: next?.index ?? boundary.index + 1, adoptedRevision: subscription.revision, ended: next === null });
  }

  private async putOffFirst(organization: SweptOrganization, error: unknown): Promise<boolean> {
    const { organizationId, dueUntil } = organization;
    return this.context.database.inOrganization(organizationId, async (manager) => {
      const systemNow = this.context.clock.now();
      const [act] = await lockDueActs(manager, { organizationId, kind: 'boundary', dueUntil, systemNow, limit: 1 });
      if (act === undefined) return false;
      await deferDueActs(manager, { ids: [act.id], systemNow });
      this.context.logger.error({ err: error, organization: organizationId, subscription: act.subscriptionId, boundary: act.periodIndex }, 'A boundary could not be billed and is put off.');
      return true;
    });
  }
}

/** Whose plan an invoice names: that of the period which it closes, else of the one which it opens. */
function billedStage({ closes, opens, unused }: Boundary): number {
  return closes?.stage ?? opens?.stage ?? unused?.stage ?? 0;
}
