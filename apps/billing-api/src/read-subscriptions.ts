import type { EntityManager } from 'typeorm';
import type { SubscriptionStatus } from '#domain';
import { listRows, readCustomer, readCustomers, readSubscription, subscriptionTable, findByIdOrKey, planTable, updateRow } from '#persistence';
import type { BusinessClock, Condition, Database, Plan, RowPage, SubscriptionRecord } from '#persistence';
import { accepted, assert, refused, type ListPage, type Outcome } from '#platform';
import { withStages, type SubscriptionView } from './subscription-schedule.js';

export interface SubscriptionFilter {
  readonly page: ListPage;
  readonly customer: string | null;
  readonly plan: string | null;
  readonly status: SubscriptionStatus | null;
}

/** What a status means at an instant of business time, in the order in which it is decided. */
const statusConditions: Readonly<Record<SubscriptionStatus, (now: string) => string>> = {
  canceled: (now) => `cancel_at <= ${now}`,
  scheduled: (now) => `(cancel_at is null or cancel_at > ${now}) and start_at > ${now}`,
  trialing: (now) => `(cancel_at is null or cancel_at > ${now}) and start_at <= ${now} and trial_end_at > ${now}`,
  active: (now) => `(cancel_at is null or cancel_at > ${now}) and start_at <= ${now} and (trial_end_at is null or trial_end_at <= ${now})`,
};

/** The last change by now says which plan it is on; without one, it is the first plan. */
const isOnPlan = (place: number): string =>
  `coalesce((select change ->> 'plan_id' from jsonb_array_elements(changes) with ordinality as listed (change, place)
     where (change ->> 'at')::timestamptz <= $${place + 1}::timestamptz order by listed.place desc limit 1), plan_id) = $${place}`;

export class ReadSubscriptions {
  constructor(
    private readonly database: Database,
    private readonly businessClock: BusinessClock,
  ) {}

  async find(at: { organizationId: string; id: string }): Promise<Outcome<SubscriptionView, 'not_found'>> {
    const now = await this.businessClock.now(at.organizationId);
    return this.database.inOrganization(at.organizationId, async (manager) => {
      const subscription = await readSubscription(manager, at.id);
      if (subscription === null) return missing();
      const [view] = await views(manager, { subscriptions: [subscription], now });
      return view === undefined ? missing() : accepted(view);
    });
  }

  /** Newest first; of a plan those that are on it now. A customer or plan that is not there has none. */
  async list(organizationId: string, filter: SubscriptionFilter): Promise<RowPage<SubscriptionView>> {
    const now = await this.businessClock.now(organizationId);
    return this.database.inOrganization(organizationId, async (manager) => {
      const conditions: Condition[] = [];
      if (filter.customer !== null) conditions.push({ sql: (place) => `customer_id = $${place}`, values: [(await readCustomer(manager, filter.customer))?.id ?? ''] });
      if (filter.plan !== null) conditions.push({ sql: isOnPlan, values: [(await findByIdOrKey<Plan>(manager, planTable, filter.plan))?.id ?? '', now.toString()] });
      const { status } = filter;
      if (status !== null) conditions.push({ sql: (place) => statusConditions[status](`$${place}::timestamptz`), values: [now.toString()] });
      const page = await listRows(manager, subscriptionTable, { page: filter.page, conditions });
      return { items: await views(manager, { subscriptions: page.items, now }), hasMore: page.hasMore };
    });
  }

  async changeMetadata(organizationId: string, at: { id: string; metadata: Record<string, string> | undefined }): Promise<Outcome<SubscriptionView, 'not_found'>> {
    const { metadata } = at;
    if (metadata !== undefined) await this.database.inOrganization(organizationId, (manager) => updateRow(manager, subscriptionTable, { id: at.id, set: { metadata } }));
    return this.find({ organizationId, id: at.id });
  }
}

async function views(manager: EntityManager, from: { subscriptions: readonly SubscriptionRecord[]; now: Temporal.Instant }): Promise<SubscriptionView[]> {
  const { subscriptions, now } = from;
  if (subscriptions.length === 0) return [];
  const customers = new Map((await readCustomers(manager, subscriptions.map(({ customerId }) => customerId))).map((customer) => [customer.id, customer]));
  return withStages(manager, subscriptions.map((subscription) => {
    const customer = customers.get(subscription.customerId);
    assert(customer !== undefined, 'A subscription has its customer.');
    return { subscription, customerKey: customer.key, now };
  }));
}

function missing(): Outcome<never, 'not_found'> {
  return refused('not_found', 'There is no such subscription.');
}
