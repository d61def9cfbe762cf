import type { EntityManager } from 'typeorm';
import { nextBoundary } from '#domain';
import { ownRows } from '../billing-api/list-rows.js';
import { scheduleOf } from '../billing-api/subscription-schedule.js';
import type { PlanVersion } from '../billing-api/plan-tables.js';
import type { SubscriptionRecord } from '../billing-api/subscription-table.js';

// A boundary is billed by the terms that hold then, and terms change with regard to what is billed: whoever does the one waits for the other. Rows can't be held
// for that, since each side may only read the other's. All take the locks in order of id.

/** Keeps these subscriptions from being billed until the transaction ends, and waits for a sweep that bills them now. */
export async function holdBilling(manager: EntityManager, subscriptionIds: readonly string[]): Promise<void> {
  await manager.query(`select pg_advisory_xact_lock(${lockKey}) from unnest($1::text[]) as id`, [subscriptionIds.toSorted()]);
}

/** Keeps the terms of these subscriptions from changing until the transaction ends, and waits for changes that are on their way. */
export async function holdTerms(manager: EntityManager, subscriptionIds: readonly string[]): Promise<void> {
  await manager.query(`select pg_advisory_xact_lock_shared(${lockKey}) from unnest($1::text[]) as id`, [[...new Set(subscriptionIds)].toSorted()]);
}

const lockKey = `hashtextextended('terms of ' || id, 0)`;

/** Where the last boundary lies that was billed, by the subscription's id. Nothing is to be changed before it. Read while their billing is held. */
export async function readBilledUntil(
  manager: EntityManager,
  of: readonly { readonly subscription: SubscriptionRecord; readonly plan: Pick<PlanVersion, 'billingPeriod'> }[],
): Promise<ReadonlyMap<string, Temporal.Instant>> {
  const rows: { subscription_id: string; next_index: number }[] = await manager.query(
    `select subscription_id, next_index from billing_schedules where ${ownRows} and subscription_id = any($1) and next_index > 0`, [of.map(({ subscription }) => subscription.id)]);
  const nextOf = new Map(rows.map((row) => [row.subscription_id, row.next_index]));
  return new Map(of.flatMap((one): [string, Temporal.Instant][] => {
    const next = nextOf.get(one.subscription.id);
    const last = next === undefined ? null : nextBoundary(scheduleOf(one), next - 1);
    // An index without a boundary, such as 0 where there is no trial, is passed over unbilled.
    return next === undefined || last?.index !== next - 1 ? [] : [[one.subscription.id, last.at]];
  }));
}
