import type { QueryRunner } from 'typeorm';
import { appRoles, type AppRole } from './database.js';

export interface TableProtection {
  readonly table: string;
  /** The one app that writes the table. */
  readonly owner: AppRole;
  readonly readers?: readonly AppRole[];
  /** What the owner may do; `delete` and `update` are left out for append-only tables. */
  readonly ownerMay?: readonly ('select' | 'insert' | 'update' | 'delete')[];
  /** Roles that see the table's rows of all organizations (workers that look for what is due). */
  readonly worklistOf?: readonly AppRole[];
  /** The column that names the organization. */
  readonly organizationColumn?: string;
}

/** Holds outside `inOrganization` only, so that a worker inside one organization sees no other's rows. (A setting that was local to an earlier transaction is left empty, not null.) */
export const outsideOrganizations = `coalesce(current_setting('app.organization_id', true), '') = ''`;

/**
 * Gives a table its grants and its row-level security: an organization's rows are visible only where
 * `app.organization_id` names it, for every role, the table's owner included. Safe to repeat.
 */
export async function protectTable(runner: QueryRunner, protection: TableProtection): Promise<void> {
  const { table, owner } = protection;
  const column = protection.organizationColumn ?? 'organization_id';
  const isOwnRow = `${column} = current_setting('app.organization_id', true)`;
  await runner.query(`alter table ${table} enable row level security`);
  await runner.query(`alter table ${table} force row level security`);
  await runner.query(`drop policy if exists organization_isolation on ${table}`);
  await runner.query(`create policy organization_isolation on ${table} using (${isOwnRow}) with check (${isOwnRow})`);
  await runner.query(`grant ${(protection.ownerMay ?? ['select', 'insert', 'update', 'delete']).join(', ')} on ${table} to ${appRoles[owner]}`);
  for (const reader of protection.readers ?? []) await runner.query(`grant select on ${table} to ${appRoles[reader]}`);
  for (const worker of protection.worklistOf ?? []) {
    await runner.query(`drop policy if exists worklist_${worker} on ${table}`);
    const mayWrite = worker === owner;
    await runner.query(`create policy worklist_${worker} on ${table} ${mayWrite ? 'for all' : 'for select'} to ${appRoles[worker]} using (${outsideOrganizations})`);
  }
}

/** Grants on a table that belongs to no organization (the log's, the aggregator's progress). */
export async function grantTable(runner: QueryRunner, grant: { table: string; owner: AppRole; readers?: readonly AppRole[] }): Promise<void> {
  await runner.query(`grant select, insert, update, delete on ${grant.table} to ${appRoles[grant.owner]}`);
  for (const reader of grant.readers ?? []) await runner.query(`grant select on ${grant.table} to ${appRoles[reader]}`);
}
