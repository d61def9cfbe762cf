import type { EntityManager } from 'typeorm';
import { aggregatorGroup, ratingQueue, topics, type RateFinalPayload } from '#contracts';
import {
  countIntoClockRun, deferDueActs, finishDueActs, lockDueActs, lockInvoicesOfBoundaries, noteRequested, noteWaiting, readFinalPeriods, readRatedPeriods,
  type DueAct, type InvoiceRecord,
} from '#persistence';
import type { InvoicingContext, SweptOrganization } from './invoicing-context.js';
import type { PaymentProviders } from './payment-providers.js';
import { sortByReadiness, type IssueCandidate, type ReadyToIssue } from './sort-by-readiness.js';
import { writeIssuedInvoices, type InvoiceToIssue } from './write-issued-invoices.js';

/** Invoices of one transaction, and periods of one job of rating. */
const blockMax = 200;
/** How far ahead the last rating is asked for. */
const candidatesMax = 1_000;
const askAgainAfterSeconds = 10;
const warnAfterMinutes = 15;

export interface IssueProgress {
  readonly issued: number;
}

/**
 * Issues the drafts whose time has come. One that closes usage waits until every event that was acknowledged before it was
 * first seen due is counted, then asks for the period's last rating, and is issued when that is there.
 */
export class IssueInvoices {
  constructor(
    private readonly context: InvoicingContext,
    private readonly providers: PaymentProviders,
  ) {}

  /** Does one block of at most 200; returns how many acts were done. An invoice that fails is put off and holds up no other customer. */
  async execute(organization: SweptOrganization): Promise<IssueProgress> {
    try {
      return await this.issueBlock(organization, { limit: blockMax, trying: [] });
    } catch (error) {
      this.context.logger.error({ err: error, organization: organization.organizationId }, 'A block of invoices failed and is issued one by one.');
    }
    let issued = 0;
    for (let tries = 0; tries < blockMax; tries += 1) {
      const trying: DueAct[] = [];
      try {
        const progress = await this.issueBlock(organization, { limit: 1, trying });
        if (progress.issued === 0) break;
        issued += progress.issued;
      } catch (error) {
        await this.putOff(organization, { act: trying[0], error });
      }
    }
    return { issued };
  }

  private async issueBlock(organization: SweptOrganization, options: { limit: number; trying: DueAct[] }): Promise<IssueProgress> {
    const { database, atStep } = this.context;
    const { organizationId } = organization;
    const result = await database.inOrganization(organizationId, (manager) => this.issueWithin(manager, { organization, ...options }));
    if (result.issued > 0) atStep?.('issue:committed');
    if (result.waiting.length > 0) await this.askForRating(organizationId, result.waiting);
    return { issued: result.issued };
  }

  private async issueWithin(
    manager: EntityManager,
    options: { organization: SweptOrganization; limit: number; trying: DueAct[] },
  ): Promise<{ issued: number; waiting: IssueCandidate[] }> {
    const { organization, limit, trying } = options;
    const { organizationId, dueUntil } = organization;
    const systemNow = this.context.clock.now();
    const acts = await lockDueActs(manager, { organizationId, kind: 'issue', dueUntil, systemNow, limit: candidatesMax, withDeferred: true });
    if (acts.length === 0) return { issued: 0, waiting: [] };
    const candidates = await readCandidates(manager, acts);
    const sorted = sortByReadiness(candidates, { isStrict: organization.isStrict, systemNow, limit });
    const unseen = sorted.waiting.filter(({ act }) => act.waitingSince === null);
    if (unseen.length > 0) {
      await noteWaiting(manager, { ids: unseen.map(({ act }) => act.id), since: systemNow });
      this.context.atStep?.('issue:waiting-noted');
    }
    if (sorted.ready.length > 0) {
      trying.push(...sorted.ready.map(({ act }) => act));
      const limitsOf = await this.providers.limitsWithin(manager, organizationId);
      await writeIssuedInvoices(manager, { context: this.context, organization, limitsOf, ready: await withUsage(manager, sorted.ready), systemNow });
    }
    const settled = [...sorted.ready, ...sorted.obsolete];
    if (settled.length > 0) {
      await finishDueActs(manager, { ids: settled.map(({ act }) => act.id), systemNow });
      await countIntoClockRun(manager, { organizationId, acts: settled.length });
    }
    const waiting = sorted.waiting.map((candidate) => ({ ...candidate, act: { ...candidate.act, waitingSince: candidate.act.waitingSince ?? systemNow } }));
    return { issued: settled.length, waiting };
  }

  private async putOff(organization: SweptOrganization, failed: { act: DueAct | undefined; error: unknown }): Promise<void> {
    const { act, error } = failed;
    const { organizationId } = organization;
    if (act === undefined) throw error;
    this.context.logger.error({ err: error, organization: organizationId, subscription: act.subscriptionId, boundary: act.periodIndex }, 'An invoice could not be issued and is put off.');
    await this.context.database.inOrganization(organizationId, (manager) => deferDueActs(manager, { ids: [act.id], systemNow: this.context.clock.now() }));
  }

  /** The log says what is counted; a request that was lost is sent again. */
  private async askForRating(organizationId: string, waiting: readonly IssueCandidate[]): Promise<void> {
    const { database, log, jobs, clock, logger, atStep } = this.context;
    const now = clock.now();
    const unasked = waiting.filter(({ act }) => act.requestedAt === null || isBefore(act.requestedAt.add({ seconds: askAgainAfterSeconds }), now));
    if (unasked.length === 0) return;
    const completeAsOf = await log.completeAsOf({ topic: topics.usageEvents, group: aggregatorGroup });
    const counted = unasked.filter(({ act }) => act.waitingSince !== null && !isBefore(completeAsOf, act.waitingSince));
    const late = unasked.filter(({ act }) => act.waitingSince !== null && isBefore(act.waitingSince.add({ minutes: warnAfterMinutes }), now));
    if (late.length > 0) logger.warn({ organization: organizationId, invoices: late.length }, 'Invoices have waited for their usage for more than 15 minutes.');
    if (counted.length === 0) return;
    const blocks = Array.from({ length: Math.ceil(counted.length / blockMax) }, (_, block) => counted.slice(block * blockMax, (block + 1) * blockMax));
    await jobs.add(ratingQueue, blocks.map((block) => ({ name: 'rate-final', payload: toRateFinal(organizationId, block) })));
    atStep?.('issue:rating-requested');
    await database.inOrganization(organizationId, (manager) => noteRequested(manager, { ids: counted.map(({ act }) => act.id), at: now }));
  }
}

/** Acts with their drafts, and whether the periods that these close are rated for the last time. */
async function readCandidates(manager: EntityManager, acts: readonly DueAct[]): Promise<IssueCandidate[]> {
  const drafts = new Map<string, InvoiceRecord>((await lockInvoicesOfBoundaries(manager, acts)).map((invoice) => [keyOf(invoice), invoice]));
  const rated = new Set((await readFinalPeriods(manager, [...drafts.values()].filter(({ status }) => status === 'draft').flatMap(closedPeriod))).map(keyOf));
  return acts.map((act) => {
    const invoice = drafts.get(keyOf(act)) ?? null;
    return { act, invoice, isRated: invoice !== null && closedPeriod(invoice).some((closed) => rated.has(keyOf(closed))) };
  });
}

/** Those that are issued now, with what was used: many more may be candidates. */
async function withUsage(manager: EntityManager, ready: readonly ReadyToIssue[]): Promise<InvoiceToIssue[]> {
  const rated = await readRatedPeriods(manager, ready.filter(({ isRated }) => isRated).flatMap(({ invoice }) => closedPeriod(invoice)));
  const usage = new Map(rated.map((period) => [keyOf(period), period]));
  return ready.map((candidate) => ({ ...candidate, usage: closedPeriod(candidate.invoice).map((closed) => usage.get(keyOf(closed)))[0] ?? null }));
}

/** None, or the one whose usage the invoice closes. */
function closedPeriod({ subscriptionId, closesIndex }: InvoiceRecord): { subscriptionId: string; periodIndex: number }[] {
  return closesIndex === null ? [] : [{ subscriptionId, periodIndex: closesIndex }];
}

function keyOf(key: { subscriptionId: string; periodIndex: number }): string {
  return `${key.subscriptionId}/${key.periodIndex}`;
}

function toRateFinal(organizationId: string, block: readonly IssueCandidate[]): RateFinalPayload {
  const periods = block.flatMap(({ act, invoice }) =>
    invoice === null || invoice.closesIndex === null
      ? []
      : [{ subscriptionId: act.subscriptionId, periodIndex: invoice.closesIndex, start: invoice.periodStart.toString(), end: invoice.periodEnd.toString() }]);
  return { organizationId, periods };
}

function isBefore(a: Temporal.Instant, b: Temporal.Instant): boolean {
  return Temporal.Instant.compare(a, b) < 0;
}
