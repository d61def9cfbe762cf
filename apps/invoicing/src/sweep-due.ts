import type { EntityManager } from 'typeorm';
import { invoicingQueue, pushOutboxJob } from '#contracts';
import { anyUnadoptedSubscription, beginClockRun, countOpenActs, countOpenOutbox, findEndedWithLateUsage, finishClockRun, readDueOrganizations, type DueOrganization } from '#persistence';
import type { AdoptLateUsage } from './adopt-late-usage.js';
import type { AdoptSubscriptions } from './adopt-subscriptions.js';
import type { InvoicingContext, SweptOrganization } from './invoicing-context.js';
import type { IssueInvoices } from './issue-invoices.js';
import type { MakeInvoices } from './make-invoices.js';
import { quickTriesMax, type PushOutbox } from './push-outbox.js';

/** Holds one sweep at a time in the whole installation. Twice at once would do no harm, it would only be in its own way. */
const sweepLock = 7_420_040;
const organizationsMax = 1_000;
const roundsMax = 10_000;
/** How often late usage of ended subscriptions is looked for; a clock on its way has it looked for at once. */
const lateEverySeconds = 5;

export interface SweepUse {
  readonly context: InvoicingContext;
  readonly adoptSubscriptions: AdoptSubscriptions;
  readonly adoptLateUsage: AdoptLateUsage;
  readonly makeInvoices: MakeInvoices;
  readonly issueInvoices: IssueInvoices;
  readonly pushOutbox: PushOutbox;
}

/** Does everything that is due in business time, each organization by its own clock. Whatever ends it, the next sweep goes on from there. */
export class SweepDue {
  private lateLookedAt: Temporal.Instant | null = null;
  /** Somebody in this process has said since the sweep that is running began that there is something due. */
  private wasAskedAgain = false;

  constructor(private readonly use: SweepUse) {}

  /** Returns false where another sweep is running; one of this process then begins anew, since it may have looked already. */
  async execute(): Promise<boolean> {
    return this.use.context.database.acrossOrganizations(async (manager) => {
      if (!(await takeSweepLock(manager))) {
        this.wasAskedAgain = true;
        return false;
      }
      for (let time = 0; time < roundsMax; time += 1) {
        this.wasAskedAgain = false;
        await this.sweep();
        if (!this.wasAskedAgain) break;
      }
      return true;
    });
  }

  private async sweep(): Promise<void> {
    const { context, adoptSubscriptions, adoptLateUsage } = this.use;
    for (let round = 0; round < roundsMax; round += 1) if ((await adoptSubscriptions.execute()) === 0) break;
    const systemNow = context.clock.now();
    if (this.lateLookedAt === null || Temporal.Instant.compare(this.lateLookedAt.add({ seconds: lateEverySeconds }), systemNow) <= 0) {
      this.lateLookedAt = systemNow;
      for (let round = 0; round < roundsMax; round += 1) if (await adoptLateUsage.execute(null)) break;
    }
    const due = await context.database.acrossOrganizations((manager) => readDueOrganizations(manager, { systemNow, limit: organizationsMax }));
    for (const organization of due) {
      try {
        await this.sweepOrganization(toSwept(organization, systemNow));
      } catch (error) {
        context.logger.error({ err: error, organization: organization.organizationId }, 'What is due in an organization could not be done.');
      }
    }
  }

  private async sweepOrganization(organization: SweptOrganization): Promise<void> {
    const { context, adoptLateUsage, makeInvoices, issueInvoices, pushOutbox } = this.use;
    const { organizationId, clockTarget } = organization;
    if (clockTarget !== null) {
      await context.database.inOrganization(organizationId, (manager) => beginClockRun(manager, { organizationId, target: clockTarget }));
      if (!(await adoptLateUsage.isRated(organizationId))) return;
      for (let round = 0; round < roundsMax; round += 1) if (await adoptLateUsage.execute(organizationId)) break;
    }
    // Boundaries make drafts only, so they may run ahead; numbers are given by the acts that issue, in order of due time.
    for (let round = 0; round < roundsMax; round += 1) if ((await makeInvoices.execute(organization)) === 0) break;
    let issued = 0;
    for (let round = 0; round < roundsMax; round += 1) {
      const progress = await issueInvoices.execute(organization);
      if (progress.issued === 0) break;
      issued += progress.issued;
    }
    if (clockTarget === null) {
      if (issued > 0) await context.jobs.add(invoicingQueue, [pushOutboxJob]);
      return;
    }
    await pushOutbox.execute({ organizationId });
    await this.finishRun(organization, clockTarget);
  }

  private async finishRun({ organizationId }: SweptOrganization, target: Temporal.Instant): Promise<void> {
    const { context } = this.use;
    await context.database.inOrganization(organizationId, async (manager) => {
      if ((await countOpenActs(manager, { organizationId, dueUntil: target })) > 0) return;
      if ((await countOpenOutbox(manager, { organizationId, triesMax: quickTriesMax })) > 0) return;
      if (await anyUnadoptedSubscription(manager, organizationId)) return;
      if ((await findEndedWithLateUsage(manager, { organizationId, limit: 1 })).length > 0) return;
      await finishClockRun(manager, { organizationId, target, at: context.clock.now() });
      context.atStep?.('clock:finished');
    });
  }
}

async function takeSweepLock(manager: EntityManager): Promise<boolean> {
  const rows: { taken: boolean }[] = await manager.query(`select pg_try_advisory_xact_lock($1) as taken`, [sweepLock]);
  return rows[0]?.taken ?? false;
}

function toSwept({ organizationId, clockNow, clockTarget }: DueOrganization, systemNow: Temporal.Instant): SweptOrganization {
  if (clockNow === null && clockTarget === null) return { organizationId, dueUntil: systemNow, now: systemNow, isStrict: false, clockTarget };
  return { organizationId, dueUntil: clockTarget ?? clockNow ?? systemNow, now: clockNow, isStrict: true, clockTarget };
}
