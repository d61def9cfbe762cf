import { createHash } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { Meter } from '#domain';
import type { Attachment } from '../billing-api/customer-tables.js';
import type { UsageBasis } from '../../clickhouse/usage-basis.js';
import type { PeriodKey } from './period-key.js';

/** A rating that usage was read for: the last one of a period, or one with what came late. */
export interface BasisKey extends PeriodKey {
  readonly isLate: boolean;
  readonly generation: bigint;
}

/** The basis of a rating that is kept. */
export interface KeptBasis extends BasisKey {
  readonly basis: UsageBasis;
}

/** What is kept of a rating that has a basis. */
interface RatingWithBasis extends PeriodKey {
  readonly customerId: string;
  readonly generation: bigint;
  readonly basis?: UsageBasis | undefined;
}

const lateDaysKept = 1;

/** Keeps the bases of these ratings, in the transaction that stores them. What many share is stored once. */
export async function saveUsageBases(manager: EntityManager, saved: { organizationId: string; periods: readonly RatingWithBasis[]; isLate: boolean }): Promise<void> {
  const { organizationId, isLate } = saved;
  const cuts = new Map<string, string>();
  const snapshots = new Map<string, string>();
  const rows = saved.periods.flatMap((period) => {
    if (period.basis === undefined || period.basis.cut === null) return [];
    const cut = kept(cuts, JSON.stringify({ cut: [...period.basis.cut].map(([partition, next]) => [partition, next.toString()]), meters: period.basis.meters }));
    const attachments = kept(snapshots, JSON.stringify(period.basis.attachments.filter(({ customerId }) => customerId === period.customerId)));
    return [{ subscription_id: period.subscriptionId, period_index: period.periodIndex, generation: period.generation.toString(), cut_id: cut, attachments_id: attachments }];
  });
  if (rows.length === 0) return;
  await manager.query(
    `insert into usage_cuts (organization_id, id, cut, meters) select $1, id, content::jsonb -> 'cut', content::jsonb -> 'meters' from unnest($2::text[], $3::text[]) as given (id, content)
     order by id on conflict do nothing`, [organizationId, [...cuts.keys()], [...cuts.values()]]);
  await manager.query(
    `insert into attachment_snapshots (organization_id, id, attachments) select $1, id, content::jsonb from unnest($2::text[], $3::text[]) as given (id, content)
     order by id on conflict do nothing`, [organizationId, [...snapshots.keys()], [...snapshots.values()]]);
  await manager.query(
    `insert into usage_bases (organization_id, subscription_id, period_index, generation, is_late, cut_id, attachments_id)
     select $1, subscription_id, period_index, generation, $3, cut_id, attachments_id
     from json_to_recordset($2::json) as given (subscription_id text, period_index int, generation bigint, cut_id text, attachments_id text)
     on conflict do nothing`,
    [organizationId, JSON.stringify(rows), isLate],
  );
  if (isLate) await forgetOvertaken(manager, rows.map((row) => row.subscription_id));
}

/** Late ratings that a later one took the place of before they were settled. A day's grace, which no transaction that settles one takes. */
async function forgetOvertaken(manager: EntityManager, subscriptionIds: readonly string[]): Promise<void> {
  await manager.query(
    `delete from usage_bases basis where is_late and subscription_id = any($1::text[]) and created_at < now() - $2 * interval '1 day'
       and exists (select from late_ratings late where late.subscription_id = basis.subscription_id and late.period_index = basis.period_index and late.generation > basis.generation)
       and not exists (select from late_settlements settled where settled.subscription_id = basis.subscription_id and settled.period_index = basis.period_index and settled.generation = basis.generation)`,
    [subscriptionIds, lateDaysKept],
  );
}

/** The bases of these ratings; those that were not kept are left out. */
export async function readUsageBases(manager: EntityManager, keys: readonly BasisKey[]): Promise<KeptBasis[]> {
  if (keys.length === 0) return [];
  const rows: { subscription_id: string; period_index: number; is_late: boolean; generation: string; cut: [number, string][]; meters: Meter[]; attachments: StoredAttachment[] }[] = await manager.query(
    `select basis.subscription_id, basis.period_index, basis.is_late, basis.generation::text as generation, cut.cut, cut.meters, snapshot.attachments
     from usage_bases basis
     join unnest($1::text[], $2::int[], $3::boolean[], $4::bigint[]) as wanted (subscription_id, period_index, is_late, generation) using (subscription_id, period_index, is_late, generation)
     join usage_cuts cut on cut.organization_id = basis.organization_id and cut.id = basis.cut_id
     join attachment_snapshots snapshot on snapshot.organization_id = basis.organization_id and snapshot.id = basis.attachments_id`,
    [keys.map(({ subscriptionId }) => subscriptionId), keys.map(({ periodIndex }) => periodIndex), keys.map(({ isLate }) => isLate), keys.map(({ generation }) => generation.toString())],
  );
  return rows.map((row) => ({
    subscriptionId: row.subscription_id, periodIndex: row.period_index, isLate: row.is_late, generation: BigInt(row.generation),
    basis: { cut: new Map(row.cut.map(([partition, next]) => [partition, BigInt(next)])), meters: row.meters.map(toMeter), attachments: row.attachments.map(toAttachment) },
  }));
}

type StoredAttachment = { readonly [Field in keyof Attachment]: Attachment[Field] extends string ? string : string | null };

function toAttachment({ customerId, subject, fromAt, toAt }: StoredAttachment): Attachment {
  return { customerId, subject, fromAt: fromAt === null ? null : Temporal.Instant.from(fromAt), toAt: toAt === null ? null : Temporal.Instant.from(toAt) };
}

/** JSON has no instants. */
function toMeter(stored: Meter): Meter {
  const { versions, ...meter } = stored;
  if (versions === undefined) return meter;
  return { ...meter, versions: versions.map(({ effectiveAt, ...version }) => ({ ...version, effectiveAt: effectiveAt === null ? null : Temporal.Instant.from(String(effectiveAt)) })) };
}

function kept(contents: Map<string, string>, content: string): string {
  const id = createHash('sha256').update(content).digest('base64url');
  contents.set(id, content);
  return id;
}
