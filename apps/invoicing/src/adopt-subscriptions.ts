import type { EntityManager } from 'typeorm';
import { nextBoundary } from '#domain';
import { deleteDueAct, insertDueActs, lockBillingSchedules, lockDueAct, moveDueAct, readUnadoptedSubscriptions, saveBillingSchedules, scheduleOf, type BillingScheduleRecord } from '#persistence';
import type { InvoicingContext } from './invoicing-context.js';
import { readBilledSubscriptions, type BilledSubscription } from './subscription-terms.js';

const subscriptionsMax = 500;

/** Gives each new subscription its first boundary, and each changed one its next boundary anew. */
export class AdoptSubscriptions {
  constructor(private readonly context: InvoicingContext) {}

  /** Returns how many were adopted; fewer than a full block means that none is left. */
  async execute(): Promise<number> {
    const { database } = this.context;
    const unadopted = await database.acrossOrganizations((manager) => readUnadoptedSubscriptions(manager, subscriptionsMax));
    for (const [organizationId, found] of Map.groupBy(unadopted, (subscription) => subscription.organizationId)) {
      await database.inOrganization(organizationId, async (manager) => {
        await this.adopt(manager, { organizationId, ids: found.map(({ subscriptionId }) => subscriptionId) });
        this.context.atStep?.('adopt:written');
      });
      this.context.atStep?.('adopt:committed');
    }
    return unadopted.length;
  }

  private async adopt(manager: EntityManager, wanted: { organizationId: string; ids: readonly string[] }): Promise<void> {
    const { organizationId, ids } = wanted;
    const known = await lockBillingSchedules(manager, { organizationId, subscriptionIds: ids });
    const billed = await readBilledSubscriptions(manager, ids);
    const schedules: BillingScheduleRecord[] = [];
    for (const one of billed.values()) schedules.push(await this.adoptOne(manager, { organizationId, one, known: known.get(one.subscription.id) }));
    await saveBillingSchedules(manager, { organizationId, schedules });
  }

  private async adoptOne(
    manager: EntityManager,
    options: { organizationId: string; one: BilledSubscription; known: BillingScheduleRecord | undefined },
  ): Promise<BillingScheduleRecord> {
    const { organizationId, one, known } = options;
    const { id: subscriptionId, revision } = one.subscription;
    const nextIndex = known?.nextIndex ?? 0;
    const adopted = { subscriptionId, nextIndex, adoptedRevision: revision, ended: known?.ended ?? false };
    if (adopted.ended) return adopted;
    const boundary = nextBoundary(scheduleOf(one), nextIndex);
    const open = await lockDueAct(manager, { organizationId, subscriptionId, periodIndex: nextIndex, kind: 'boundary' });
    if (boundary !== null && open !== null && boundary.index === nextIndex) {
      if (!boundary.at.equals(open.dueAt)) await moveDueAct(manager, { id: open.id, dueAt: boundary.at });
      return adopted;
    }
    if (open !== null) await deleteDueAct(manager, open.id);
    if (boundary === null) return { ...adopted, ended: true };
    await insertDueActs(manager, { organizationId, acts: [{ kind: 'boundary', subscriptionId, periodIndex: boundary.index, dueAt: boundary.at }] });
    return { ...adopted, nextIndex: boundary.index };
  }
}
