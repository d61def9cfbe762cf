import type { EntityManager } from 'typeorm';
import { meterDefinition, meterParts, type Aggregation, type Meter, type MeterDefinition, type MeterPart } from '#domain';
import { ownRows } from '../billing-api/list-rows.js';
import { preparedQuery } from '../prepared-query.js';

interface DefinitionRow {
  readonly event_type: string;
  readonly aggregation: string;
  readonly value_path: string | null;
  readonly percentile: string | null;
  readonly group_by: Record<string, string>;
  readonly filter: string | null;
}

interface MeterRow extends DefinitionRow {
  readonly id: string;
  readonly organization_id: string;
  readonly key: string;
  /** Null where the meter has only one version. */
  readonly versions: readonly (DefinitionRow & { readonly version: number; readonly effective_at: string | null })[] | null;
}

const definitionColumns = 'event_type, aggregation, value_path, percentile, group_by, filter';
const meterColumns = `id, organization_id, key, ${definitionColumns},
  (select json_agg(json_build_object('version', v.version, 'effective_at', v.effective_at, ${definitionColumns.split(', ').map((name) => `'${name}', v.${name}`).join(', ')}) order by v.version)
   from meter_versions v where v.meter_id = meters.id) as versions`;

/** How the organization's meters count, in the order of their keys; archived ones too, unless only current ones are asked for. Those of an event type have a version of it. */
export async function findMeters(
  manager: EntityManager,
  options: { readonly eventTypes?: readonly string[]; readonly reference?: string; readonly ids?: readonly string[]; readonly isCurrent?: boolean } = {},
): Promise<Meter[]> {
  const rows = await preparedQuery<MeterRow>(manager, {
    name: 'find_meters',
    text: `select ${meterColumns} from meters
     where ${ownRows} and ($2::text is null or id = $2 or key = $2) and ($3::text[] is null or id = any($3))
       and ($1::text[] is null or event_type = any($1) or id in (select meter_id from meter_versions where ${ownRows} and event_type = any($1)))
       and (archived_at is null or not $4)
     order by key collate "C"`,
    values: [options.eventTypes ?? null, options.reference ?? null, options.ids ?? null, options.isCurrent ?? false],
  });
  return rows.map(toMeter);
}

/** How a meter counts, and what users call it. */
export interface NamedMeter {
  readonly meter: Meter;
  readonly name: string;
  readonly unit: string | null;
}

/** The organization's meters that are not archived, in the order of their ids. */
export async function readNamedMeters(manager: EntityManager): Promise<NamedMeter[]> {
  const rows = await preparedQuery<MeterRow & { readonly name: string; readonly unit: string | null }>(manager, {
    name: 'read_named_meters', text: `select name, unit, ${meterColumns} from meters where ${ownRows} and archived_at is null order by id`, values: [],
  });
  return rows.map((row) => ({ meter: toMeter(row), name: row.name, unit: row.unit }));
}

/** Ids and keys of the organization's meters whose quantity grows with time, without events. */
export async function readGrowingMeters(manager: EntityManager): Promise<ReadonlySet<string>> {
  const rows: { id: string; key: string }[] = await manager.query(`select id, key from meters where ${ownRows} and aggregation = 'time_weighted_sum'`);
  return new Set(rows.flatMap(({ id, key }) => [id, key]));
}

/** Which of these versions of meters have rollups of all their hours. */
export async function readRolledUp(manager: EntityManager, parts: readonly MeterPart[]): Promise<ReadonlySet<MeterPart>> {
  const rows = await preparedQuery<{ meter_id: string; version: number; definition: string }>(manager, {
    name: 'read_rolled_up', text: `select meter_id, version, definition from meter_rollups where ${ownRows} and meter_id = any($1)`, values: [[...new Set(parts.map(({ id }) => id))]],
  });
  const ready = new Map(rows.map((row) => [`${row.meter_id}/${row.version}`, row.definition]));
  return new Set(parts.filter((part) => ready.get(`${part.id}/${part.version}`) === meterDefinition(part)));
}

/** Versions of meters that have no rollups yet, across organizations, at most `limit`. */
export async function findMetersWithoutRollups(manager: EntityManager, limit: number): Promise<MeterPart[]> {
  const wanted: VersionRow[] = await manager.query(
    `select id as meter_id, coalesce(v.version, 1) as version from meters left join meter_versions v on v.meter_id = meters.id
     where not exists (select from meter_rollups built where built.meter_id = meters.id and built.version = coalesce(v.version, 1))
     order by coalesce(v.created_at, meters.created_at), id, version limit $1`,
    [limit],
  );
  return readParts(manager, wanted);
}

/** From now on the version is read from its rollups, where they are not dirty. */
export async function markRolledUp(manager: EntityManager, part: MeterPart): Promise<void> {
  await manager.query(
    `insert into meter_rollups (organization_id, meter_id, version, definition, ready_at) values ($1, $2, $3, $4, clock_timestamp())
     on conflict (meter_id, version) do update set definition = excluded.definition, ready_at = excluded.ready_at`,
    [part.organizationId, part.id, part.version, meterDefinition(part)],
  );
}

/**
 * Takes the version of a meter whose rollups were compared with its events the longest time ago, if that was not after `before`, and notes
 * that they are compared at `at`. Others pass it over until the transaction ends; if it fails, the meter was not compared.
 * Null where there is none, or where another process is at it: one at a time compares.
 */
export async function takeRollupCheck(manager: EntityManager, due: { readonly before: Temporal.Instant; readonly at: Temporal.Instant }): Promise<MeterPart | null> {
  const [lock]: { locked: boolean }[] = await manager.query('select pg_try_advisory_xact_lock($1, 0) as locked', [checkLockClass]);
  if (lock?.locked !== true) return null;
  const taken: VersionRow[] = await manager.query(
    `select meter_id, version from meter_rollups where checked_at is null or checked_at <= $1 order by checked_at nulls first, meter_id, version limit 1 for update skip locked`,
    [due.before.toString()],
  );
  const [part] = await readParts(manager, taken);
  if (part === undefined) return null;
  await manager.query('update meter_rollups set checked_at = $1 where meter_id = $2 and version = $3', [due.at.toString(), part.id, part.version]);
  return part;
}

/** Tries to be the one that recomputes these rollups until the transaction ends. */
export async function lockRollups(manager: EntityManager, of: { readonly organizationId: string; readonly eventType: string }): Promise<boolean> {
  const [row]: { locked: boolean }[] = await manager.query('select pg_try_advisory_xact_lock($1, hashtext($2)) as locked', [
    rollupLockClass, `${of.organizationId}/${of.eventType}`,
  ]);
  return row?.locked === true;
}

const rollupLockClass = 7_420_020;
const checkLockClass = 7_420_021;

interface VersionRow {
  readonly meter_id: string;
  readonly version: number;
}

/** In the order in which they are wanted. */
async function readParts(manager: EntityManager, wanted: readonly VersionRow[]): Promise<MeterPart[]> {
  if (wanted.length === 0) return [];
  const rows: MeterRow[] = await manager.query(`select ${meterColumns} from meters where id = any($1)`, [[...new Set(wanted.map((row) => row.meter_id))]]);
  const parts = new Map(rows.flatMap((row) => meterParts(toMeter(row))).map((part) => [`${part.id}/${part.version}`, part]));
  return wanted.flatMap((row) => parts.get(`${row.meter_id}/${row.version}`) ?? []);
}

function toMeter(row: MeterRow): Meter {
  const { versions } = row;
  return {
    id: row.id,
    organizationId: row.organization_id,
    key: row.key,
    ...toDefinition(row),
    ...(versions === null ? {} : {
      versions: versions.map((version) => ({
        number: version.version,
        effectiveAt: version.effective_at === null ? null : Temporal.Instant.from(version.effective_at),
        definition: toDefinition(version),
      })),
    }),
  };
}

function toDefinition(row: DefinitionRow): MeterDefinition {
  return {
    eventType: row.event_type,
    aggregation: row.aggregation as Aggregation,
    valuePath: row.value_path,
    percentile: row.percentile,
    groupBy: row.group_by,
    filter: row.filter,
  };
}
