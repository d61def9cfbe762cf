import { EntitySchema, type EntityManager, type ValueTransformer } from 'typeorm';
import type { AddOnEnd, AddOnStep, MinimumCommitment, PriceOverride, SubscribedTerms } from '#domain';
import { ownRows } from './list-rows.js';
import { bigintColumn, booleanColumn, fromRow, instantColumn, integerColumn, jsonColumn, resourceColumns, textColumn, type Row } from './table-columns.js';

/** From an instant on a subscription is on another plan version, or has other terms beside it. Kept as it was decided, so that its boundaries depend on nothing that changes later. */
export interface PlanChange extends SubscribedTerms {
  readonly at: Temporal.Instant;
  readonly planId: string;
  readonly planVersion: number;
  /** The plan's. */
  readonly billingPeriod: string;
  readonly billingAnchor: Temporal.Instant;
  readonly isProrated: boolean;
  /** Made at its own instant, not set before. */
  readonly isImmediate: boolean;
  /** Begins a phase, or ends the last one. */
  readonly isPhase: boolean;
}

/** An add-on in one version that a subscription has, had or will have. */
export interface SubscriptionAddOn {
  readonly id: string;
  readonly addOnId: string;
  readonly version: number;
  /** Ascending; the first begins it. */
  readonly steps: readonly AddOnStep[];
  /** Null while none is set. */
  readonly end: (AddOnEnd & { readonly isByChange: boolean }) | null;
  /** The id of that whose place it takes: another version of the same add-on, which ends where this begins. */
  readonly replaces?: string | undefined;
}

/** A customer on a plan version from an instant. Its status follows from these instants and business time, and is not kept. */
export interface SubscriptionRecord extends SubscribedTerms {
  readonly id: string;
  readonly organizationId: string;
  readonly customerId: string;
  /** The plan version that it began with. */
  readonly planId: string;
  readonly planVersion: number;
  /** What changed since, or will; ascending. */
  readonly changes: readonly PlanChange[];
  /** In the order in which they were added. */
  readonly addOns: readonly SubscriptionAddOn[];
  readonly startAt: Temporal.Instant;
  readonly billingAnchor: Temporal.Instant;
  /** Local days; 0 is no trial. */
  readonly trialDays: number;
  readonly trialEndAt: Temporal.Instant | null;
  readonly currency: string;
  /** The customer's zone when the subscription was made; boundaries keep to it. */
  readonly timeZone: string;
  readonly collection: 'automatic' | 'send_invoice';
  readonly daysUntilDue: number | null;
  /** The instant at which it ends, exclusive. */
  readonly cancelAt: Temporal.Instant | null;
  readonly cancelProrate: boolean;
  /** When the cancellation was asked for, in business time. */
  readonly canceledAt: Temporal.Instant | null;
  /** Rises with every change. */
  readonly revision: bigint;
  readonly createdAt: Temporal.Instant;
  readonly metadata: Readonly<Record<string, string>>;
}

interface StoredChange {
  readonly at: string;
  readonly plan_id: string;
  readonly plan_version: number;
  readonly billing_period: string;
  readonly billing_anchor: string;
  readonly prorated: boolean;
  readonly immediate: boolean;
  /** Left out of changes that are older than phases. */
  readonly phase?: boolean;
  readonly quantities: Readonly<Record<string, string>>;
  readonly overrides: readonly PriceOverride[];
  /** Left out of changes that are older than commitments. */
  readonly minimum_commitment?: MinimumCommitment | null;
}

function toStoredChanges(changes: readonly PlanChange[]): StoredChange[] {
  return changes.map((change) => ({
    at: change.at.toString(), plan_id: change.planId, plan_version: change.planVersion, billing_period: change.billingPeriod, billing_anchor: change.billingAnchor.toString(),
    prorated: change.isProrated, immediate: change.isImmediate, phase: change.isPhase, quantities: change.quantities, overrides: change.overrides,
    minimum_commitment: change.minimumCommitment,
  }));
}

const changesTransformer: ValueTransformer = {
  to: (changes: readonly PlanChange[]) => JSON.stringify(toStoredChanges(changes)),
  from: (stored: readonly StoredChange[]) => stored.map((change): PlanChange => ({
    at: Temporal.Instant.from(change.at), planId: change.plan_id, planVersion: change.plan_version, billingPeriod: change.billing_period, billingAnchor: Temporal.Instant.from(change.billing_anchor),
    isProrated: change.prorated, isImmediate: change.immediate, isPhase: change.phase ?? false, quantities: change.quantities, overrides: change.overrides,
    minimumCommitment: change.minimum_commitment ?? null,
  })),
};

type Stored<T> = { readonly [Field in keyof T]: T[Field] extends Temporal.Instant ? string : T[Field] };
type StoredAddOn = Omit<SubscriptionAddOn, 'steps' | 'end'> & { readonly steps: readonly Stored<AddOnStep>[]; readonly end: Stored<NonNullable<SubscriptionAddOn['end']>> | null };

const dated = <T extends { readonly at: string }>(stored: T) => ({ ...stored, at: Temporal.Instant.from(stored.at) });

const addOnsTransformer: ValueTransformer = {
  to: (addOns: readonly SubscriptionAddOn[]) => JSON.stringify(addOns),
  from: (stored: readonly StoredAddOn[]) => stored.map((addOn): SubscriptionAddOn => ({ ...addOn, steps: addOn.steps.map(dated), end: addOn.end === null ? null : dated(addOn.end) })),
};

export const subscriptionTable = new EntitySchema<SubscriptionRecord>({
  name: 'Subscription',
  tableName: 'subscriptions',
  columns: {
    ...resourceColumns,
    customerId: textColumn('customer_id'),
    planId: textColumn('plan_id'),
    planVersion: integerColumn('plan_version'),
    quantities: jsonColumn('quantities', { default: {} }),
    overrides: jsonColumn('overrides', { default: [] }),
    minimumCommitment: jsonColumn('minimum_commitment', { nullable: true }),
    changes: jsonColumn('changes', { default: [], transformer: changesTransformer }),
    addOns: jsonColumn('add_ons', { default: [], transformer: addOnsTransformer }),
    startAt: instantColumn('start_at'),
    billingAnchor: instantColumn('billing_anchor'),
    trialDays: integerColumn('trial_days', { default: 0 }),
    trialEndAt: instantColumn('trial_end_at', { nullable: true }),
    currency: textColumn('currency'),
    timeZone: textColumn('time_zone'),
    collection: textColumn('collection'),
    daysUntilDue: integerColumn('days_until_due', { nullable: true }),
    cancelAt: instantColumn('cancel_at', { nullable: true }),
    cancelProrate: booleanColumn('cancel_prorate', { default: false }),
    canceledAt: instantColumn('canceled_at', { nullable: true }),
    revision: bigintColumn('revision', { default: 1 }),
  },
  checks: [{ name: 'subscriptions_collection', expression: `collection in ('automatic', 'send_invoice')` }],
  indices: [
    { name: 'subscriptions_list', columns: ['organizationId', 'id'] },
    { name: 'subscriptions_customer_list', columns: ['organizationId', 'customerId'] },
  ],
  foreignKeys: [
    { name: 'subscriptions_organization', target: 'Organization', columnNames: ['organizationId'], referencedColumnNames: ['id'] },
    { name: 'subscriptions_customer', target: 'Customer', columnNames: ['customerId'], referencedColumnNames: ['id'] },
    { name: 'subscriptions_plan_version', target: 'PlanVersion', columnNames: ['planId', 'planVersion'], referencedColumnNames: ['planId', 'version'] },
  ],
});

/** The organization's subscriptions, oldest first: these, or those of these customers, or those ever on one of these plans, or those that last at some instant of [from, to); all where nothing is given. */
export async function readSubscriptions(
  manager: EntityManager,
  filter: { readonly ids?: readonly string[]; readonly customerIds?: readonly string[]; readonly planIds?: readonly string[]; readonly from?: Temporal.Instant; readonly to?: Temporal.Instant } = {},
): Promise<SubscriptionRecord[]> {
  const rows: Row[] = await manager.query(
    `select * from subscriptions
      where ${ownRows}
        and ($1::text[] is null or id = any($1))
        and ($2::text[] is null or customer_id = any($2))
        and ($3::text[] is null or plan_id = any($3) or exists (select from jsonb_array_elements(changes) change where change ->> 'plan_id' = any($3)))
        and ($4::timestamptz is null or cancel_at is null or cancel_at > $4)
        and ($5::timestamptz is null or start_at < $5)
      order by id`,
    [filter.ids ?? null, filter.customerIds ?? null, filter.planIds ?? null, filter.from?.toString() ?? null, filter.to?.toString() ?? null],
  );
  return rows.map((row) => fromRow(subscriptionTable, row));
}

export async function readSubscription(manager: EntityManager, id: string): Promise<SubscriptionRecord | null> {
  return (await readSubscriptions(manager, { ids: [id] }))[0] ?? null;
}

/** What tells whether anything changed that a customer's grants follow from. */
export interface SubscriptionStamp {
  readonly text: string;
  /** Whether the organization's test clock is on its way: then it is out of date at any moment. */
  readonly isClockMoving: boolean;
}

/**
 * For each of these customers one text that changes with any of its subscriptions and with its organization's test clock: the count, revisions and newest
 * id of the ones, and where the other stands. In an organization, or across all for a role that has the worklist of both.
 */
export async function readSubscriptionStamps(manager: EntityManager, customers: ReadonlyMap<string, { readonly organizationId: string }>): Promise<Map<string, SubscriptionStamp>> {
  const rows: { customer_id: string; stamp: string; is_moving: boolean }[] = await manager.query(
    `select asked.customer_id, concat_ws(' ',
        (select concat_ws('/', count(*), sum(s.revision), max(s.id collate "C")) from subscriptions s where s.organization_id = asked.organization_id and s.customer_id = asked.customer_id),
        (select extract(epoch from c.now) from test_clocks c where c.organization_id = asked.organization_id)) as stamp,
        exists (select from test_clocks c where c.organization_id = asked.organization_id and c.status = 'advancing') as is_moving
       from unnest($1::text[], $2::text[]) as asked (customer_id, organization_id)`,
    [[...customers.keys()], [...customers.values()].map(({ organizationId }) => organizationId)]);
  return new Map(rows.map(({ customer_id: id, stamp, is_moving: isClockMoving }) => [id, { text: stamp, isClockMoving }]));
}

/** For the worklist of whoever bills: subscriptions of all organizations, after an id, in order of id. */
export async function scanSubscriptions(manager: EntityManager, scan: { readonly afterId: string | null; readonly limit: number }): Promise<SubscriptionRecord[]> {
  const rows: Row[] = await manager.query(
    `select * from subscriptions where $1::text is null or id > $1 order by id limit $2`, [scan.afterId, scan.limit]);
  return rows.map((row) => fromRow(subscriptionTable, row));
}

/** Subscriptions that are, were or will be on a plan, after an id, in order of id, held until the transaction ends. */
export async function lockSubscriptionsOnPlan(manager: EntityManager, wanted: { readonly planId: string; readonly afterId: string | null; readonly limit: number }): Promise<SubscriptionRecord[]> {
  const rows: Row[] = await manager.query(
    `select * from subscriptions
      where ${ownRows} and ($2::text is null or id > $2) and (plan_id = $1 or changes @> jsonb_build_array(jsonb_build_object('plan_id', $1::text)))
      order by id limit $3 for update`,
    [wanted.planId, wanted.afterId, wanted.limit],
  );
  return rows.map((row) => fromRow(subscriptionTable, row));
}

/** Writes the changes, add-ons and revisions of subscriptions that the transaction holds, all at once. */
export async function saveSubscriptionChanges(manager: EntityManager, subscriptions: readonly SubscriptionRecord[]): Promise<void> {
  if (subscriptions.length === 0) return;
  const rows = subscriptions.map(({ id, changes, addOns, revision }) => ({ id, changes: toStoredChanges(changes), add_ons: addOns, revision: revision.toString() }));
  await manager.query(
    `update subscriptions set changes = given.changes, add_ons = given.add_ons, revision = given.revision
       from json_to_recordset($1::json) as given (id text, changes jsonb, add_ons jsonb, revision bigint) where subscriptions.id = given.id`,
    [JSON.stringify(rows)],
  );
}
