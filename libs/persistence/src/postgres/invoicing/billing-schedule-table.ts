import type { EntityManager } from 'typeorm';

/** How far a subscription has been billed, and from which revision of it. */
export interface BillingSchedule {
  readonly subscriptionId: string;
  readonly nextIndex: number;
  readonly adoptedRevision: bigint;
  readonly ended: boolean;
}

export interface UnadoptedSubscription {
  readonly organizationId: string;
  readonly subscriptionId: string;
}

/** Subscriptions of all organizations that are new or have changed since their schedule was made. */
export async function readUnadoptedSubscriptions(manager: EntityManager, limit: number): Promise<UnadoptedSubscription[]> {
  const rows: { organization_id: string; id: string }[] = await manager.query(
    `select subscription.organization_id, subscription.id
       from subscriptions subscription left join billing_schedules schedule on schedule.subscription_id = subscription.id
      where schedule.subscription_id is null or schedule.adopted_revision < subscription.revision
      order by subscription.id limit $1`,
    [limit],
  );
  return rows.map((row) => ({ organizationId: row.organization_id, subscriptionId: row.id }));
}

/** Whether the organization has a subscription that is new or has changed since its schedule was made. */
export async function anyUnadoptedSubscription(manager: EntityManager, organizationId: string): Promise<boolean> {
  const rows: unknown[] = await manager.query(
    `select 1 from subscriptions subscription left join billing_schedules schedule on schedule.subscription_id = subscription.id
      where subscription.organization_id = $1 and (schedule.subscription_id is null or schedule.adopted_revision < subscription.revision) limit 1`,
    [organizationId],
  );
  return rows.length > 0;
}

/** The schedules of these subscriptions, locked until the transaction ends. */
export async function lockBillingSchedules(
  manager: EntityManager,
  wanted: { organizationId: string; subscriptionIds: readonly string[] },
): Promise<Map<string, BillingSchedule>> {
  const rows: { subscription_id: string; next_index: number; adopted_revision: string; ended: boolean }[] = await manager.query(
    `select subscription_id, next_index, adopted_revision, ended from billing_schedules
      where organization_id = $1 and subscription_id = any($2) order by subscription_id for update`,
    [wanted.organizationId, wanted.subscriptionIds],
  );
  return new Map(rows.map((row) => [row.subscription_id, {
    subscriptionId: row.subscription_id, nextIndex: row.next_index, adoptedRevision: BigInt(row.adopted_revision), ended: row.ended,
  }]));
}

export async function saveBillingSchedules(manager: EntityManager, saved: { organizationId: string; schedules: readonly BillingSchedule[] }): Promise<void> {
  const rows = saved.schedules.map((schedule) => ({
    subscription_id: schedule.subscriptionId, next_index: schedule.nextIndex, adopted_revision: schedule.adoptedRevision.toString(), ended: schedule.ended,
  }));
  await manager.query(
    `insert into billing_schedules (organization_id, subscription_id, next_index, adopted_revision, ended)
     select $1, given.* from json_to_recordset($2::json) as given (subscription_id text, next_index int, adopted_revision bigint, ended boolean)
     on conflict (subscription_id) do update set
       next_index = excluded.next_index, adopted_revision = excluded.adopted_revision, ended = excluded.ended, adopted_at = now()`,
    [saved.organizationId, JSON.stringify(rows)],
  );
}

/** Lets the subscription be adopted again, as if it had changed. */
export async function askForAdoption(manager: EntityManager, subscriptionId: string): Promise<void> {
  await manager.query(`update billing_schedules set adopted_revision = 0 where subscription_id = $1`, [subscriptionId]);
}
