import type { EntityManager } from 'typeorm';

/** Whether the latest version of a plan in use, or a version that a subscription without an end is or was on, is priced by the meter. */
export async function isMeterInUse(manager: EntityManager, meterKey: string): Promise<boolean> {
  const rows: unknown[] = await manager.query(
    `select 1 from plan_versions version join plans plan on plan.id = version.plan_id
      where version.prices @> $1::jsonb
        and ((plan.archived_at is null and version.version = plan.latest_version)
          or exists (select 1 from subscriptions s where s.cancel_at is null
            and ((s.plan_id = version.plan_id and s.plan_version = version.version)
              or s.changes @> jsonb_build_array(jsonb_build_object('plan_id', version.plan_id, 'plan_version', version.version)))))
      limit 1`,
    [JSON.stringify([{ meter: meterKey }])],
  );
  return rows.length > 0;
}
