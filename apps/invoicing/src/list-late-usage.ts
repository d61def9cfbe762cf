import { settleLateUsage, type LateUsage, type SettledLateLine } from '#domain';
import {
  listLatePeriods, readCustomer, readLatePeriods, readLateSettlements, readPlanVersions, readSubscriptions, type Database, type LateSettlementNote, type OpenLatePeriod,
} from '#persistence';
import { assert, type ListPage } from '#platform';
import type { EntityManager } from 'typeorm';
import type { AwaitRatings } from './await-ratings.js';

export interface LateUsageQuery {
  readonly page: ListPage;
  /** Id or key. */
  readonly customer: string | undefined;
  readonly subscriptionId: string | undefined;
  readonly state: 'open' | 'settled' | undefined;
}

/** A closed period with late usage: what it comes to, what would become of it now, and what has. */
export interface LateUsageView {
  readonly late: OpenLatePeriod;
  readonly isOpen: boolean;
  readonly lateUsage: LateUsage;
  readonly next: readonly SettledLateLine[];
  readonly settlements: readonly LateSettlementNote[];
}

const awaitedMax = 200;

/** Lists closed periods whose usage changed: before it is settled this is the preview of a backfill, after it the record. */
export class ListLateUsage {
  constructor(
    private readonly use: { readonly database: Database; readonly awaitRatings: AwaitRatings; readonly businessNow: (organizationId: string) => Promise<Temporal.Instant> },
  ) {}

  async execute(organizationId: string, query: LateUsageQuery): Promise<{ items: LateUsageView[]; hasMore: boolean }> {
    const { database, awaitRatings, businessNow } = this.use;
    const found = await database.inOrganization(organizationId, async (manager) => {
      const customer = query.customer === undefined ? undefined : await readCustomer(manager, query.customer);
      if (customer === null || (customer === undefined && query.subscriptionId === undefined)) return { customer, asked: [] };
      const filter = { ...(customer === undefined ? {} : { customerIds: [customer.id] }), ...(query.subscriptionId === undefined ? {} : { ids: [query.subscriptionId] }) };
      return { customer, asked: (await readSubscriptions(manager, filter)).map(({ id }) => id).slice(0, awaitedMax) };
    });
    if (found.customer === null) return { items: [], hasMore: false };
    // Who asks about one customer gets all that is counted; across an organization each period says up to when it is complete.
    if (found.asked.length > 0) await awaitRatings.execute({ organizationId, subscriptionIds: found.asked, now: await businessNow(organizationId) });
    return database.inOrganization(organizationId, (manager) => this.read(manager, { organizationId, query, customerId: found.customer?.id }));
  }

  private async read(
    manager: EntityManager,
    options: { organizationId: string; query: LateUsageQuery; customerId: string | undefined },
  ): Promise<{ items: LateUsageView[]; hasMore: boolean }> {
    const { organizationId, query, customerId } = options;
    const { page } = query;
    const filter = { customerId, subscriptionId: query.subscriptionId, isOpen: query.state === undefined ? undefined : query.state === 'open' };
    const { items: keys, hasMore } = await listLatePeriods(manager, { filter, limit: page.limit, after: toKey(page.startingAfter), before: toKey(page.endingBefore) });
    const periods = await readLatePeriods(manager, { organizationId, subscriptionIds: [...new Set(keys.map(({ subscriptionId }) => subscriptionId))], all: true });
    const byId = new Map(periods.map((late) => [lateUsageId(late), late]));
    const plans = new Map((await readPlanVersions(manager, periods.map(({ planId, planVersion }) => ({ planId, version: planVersion })))).map((plan) => [`${plan.planId}/${plan.version}`, plan]));
    const settlements = Map.groupBy(await readLateSettlements(manager, keys), lateUsageId);
    const items = keys.flatMap((key): LateUsageView[] => {
      const late = byId.get(lateUsageId(key));
      if (late === undefined) return [];
      const plan = plans.get(`${late.planId}/${late.planVersion}`);
      assert(plan !== undefined, 'A closed period keeps its plan version.');
      const next = settleLateUsage(late.lines, { lateUsage: plan.lateUsage, currency: late.currency });
      return [{ late, isOpen: key.isOpen, lateUsage: plan.lateUsage, next, settlements: settlements.get(lateUsageId(key)) ?? [] }];
    });
    return { items, hasMore };
  }
}

/** A period has late usage once, so its subscription and number name it. */
export function lateUsageId(key: { readonly subscriptionId: string; readonly periodIndex: number }): string {
  return `${key.subscriptionId}:${key.periodIndex}`;
}

/** Behind a row that can not be there is nothing. */
function toKey(id: string | null): { subscriptionId: string; periodIndex: number } | null {
  if (id === null) return null;
  const [, subscriptionId, index] = /^(.+):(\d{1,9})$/.exec(id) ?? [];
  return subscriptionId === undefined ? { subscriptionId: '\u{10FFFF}', periodIndex: 0 } : { subscriptionId, periodIndex: Number(index) };
}
