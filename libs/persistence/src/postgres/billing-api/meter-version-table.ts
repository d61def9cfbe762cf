import { EntitySchema, type EntityManager } from 'typeorm';
import type { MeterDefinition } from '#domain';
import { definitionColumns, type MeterResource } from './catalog-tables.js';
import { ownRows } from './list-rows.js';
import { fromRow, insertRow, instantColumn, integerColumn, textColumn, type Row } from './table-columns.js';

/** One version of a meter that was changed. Never changed once it is there. */
export interface MeterVersionRecord extends MeterDefinition {
  readonly meterId: string;
  readonly version: number;
  readonly organizationId: string;
  /** Null for the first, which counts from the beginning. */
  readonly effectiveAt: Temporal.Instant | null;
  readonly createdAt: Temporal.Instant;
}

export const meterVersionTable = new EntitySchema<MeterVersionRecord>({
  name: 'MeterVersion',
  tableName: 'meter_versions',
  columns: {
    meterId: textColumn('meter_id', { primary: true }),
    version: integerColumn('version', { primary: true }),
    organizationId: textColumn('organization_id'),
    effectiveAt: instantColumn('effective_at', { nullable: true }),
    ...definitionColumns,
    createdAt: instantColumn('created_at'),
  },
  checks: [{ name: 'meter_versions_number', expression: 'version > 0' }],
  indices: [{ name: 'meter_versions_event_type', columns: ['organizationId', 'eventType'] }],
  foreignKeys: [{ name: 'meter_versions_meter', target: 'Meter', columnNames: ['meterId'], referencedColumnNames: ['id'] }],
});

/** All versions of a meter, the first one first. A meter that was never changed has none in the table: it is its own. */
export async function readMeterVersions(manager: EntityManager, meter: MeterResource): Promise<MeterVersionRecord[]> {
  const rows: Row[] = await manager.query(`select * from meter_versions where ${ownRows} and meter_id = $1 order by version`, [meter.id]);
  return rows.length === 0 ? [versionOf(meter)] : rows.map((row) => fromRow(meterVersionTable, row));
}

/** Keeps a meter's next version, and its first one with the second. */
export async function insertMeterVersion(manager: EntityManager, { before, version }: { before: MeterResource; version: MeterVersionRecord }): Promise<void> {
  if (before.latestVersion === 1) await insertRow(manager, meterVersionTable, versionOf(before));
  await insertRow(manager, meterVersionTable, version);
}

function versionOf(meter: MeterResource): MeterVersionRecord {
  const { id, latestVersion, organizationId, effectiveAt, eventType, aggregation, valuePath, percentile, groupBy, filter, createdAt } = meter;
  return { meterId: id, version: latestVersion, organizationId, effectiveAt, eventType, aggregation, valuePath, percentile, groupBy, filter, createdAt };
}
