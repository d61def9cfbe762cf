import { EntitySchema, type EntityManager } from 'typeorm';
import { booleanColumn, fromRow, instantColumn, integerColumn, jsonColumn, resourceColumns, textColumn, type Row } from './table-columns.js';

export interface LegalEntity {
  readonly name: string;
  readonly address: PostalAddress | null;
  readonly taxId: string | null;
}

export interface PostalAddress {
  readonly line1?: string | undefined;
  readonly line2?: string | undefined;
  readonly city?: string | undefined;
  readonly state?: string | undefined;
  readonly postal_code?: string | undefined;
  readonly country?: string | undefined;
}

/** The tenant and its settings. Durations are seconds; a null retention keeps raw events for ever. */
export interface Organization {
  readonly id: string;
  readonly name: string;
  readonly mode: 'test' | 'live';
  readonly timeZone: string;
  readonly gracePeriodSeconds: number;
  readonly rounding: 'half_away_from_zero' | 'half_even';
  readonly dedupeWindowSeconds: number;
  readonly rawRetentionSeconds: number | null;
  readonly invoicePrefix: string;
  readonly invoiceFooter: string | null;
  readonly legalEntity: LegalEntity | null;
  readonly isBootstrap: boolean;
  readonly createdAt: Temporal.Instant;
  readonly metadata: Readonly<Record<string, string>>;
}

const { organizationId: _ownId, ...columns } = resourceColumns;

export const organizationTable = new EntitySchema<Organization>({
  name: 'Organization',
  tableName: 'organizations',
  columns: {
    ...columns,
    id: textColumn('id', { primary: true, primaryKeyConstraintName: 'organizations_pk' }),
    name: textColumn('name'),
    mode: textColumn('mode'),
    timeZone: textColumn('time_zone', { default: 'UTC' }),
    gracePeriodSeconds: integerColumn('grace_period_seconds', { default: 3600 }),
    rounding: textColumn('rounding', { default: 'half_away_from_zero' }),
    dedupeWindowSeconds: integerColumn('dedupe_window_seconds', { default: 3024000 }),
    rawRetentionSeconds: integerColumn('raw_retention_seconds', { nullable: true }),
    invoicePrefix: textColumn('invoice_prefix'),
    invoiceFooter: textColumn('invoice_footer', { nullable: true }),
    legalEntity: jsonColumn('legal_entity', { nullable: true }),
    isBootstrap: booleanColumn('is_bootstrap', { default: false }),
    createdAt: instantColumn('created_at'),
  },
  checks: [
    { name: 'organizations_mode', expression: `mode in ('test', 'live')` },
    { name: 'organizations_rounding', expression: `rounding in ('half_away_from_zero', 'half_even')` },
  ],
  indices: [{ name: 'organizations_bootstrap', columns: ['isBootstrap'], unique: true, where: 'is_bootstrap' }],
});

/** The organization of the transaction. */
export async function findOrganization(manager: EntityManager, organizationId: string): Promise<Organization | null> {
  const rows: Row[] = await manager.query('select * from organizations where id = $1', [organizationId]);
  return rows[0] === undefined ? null : fromRow(organizationTable, rows[0]);
}
