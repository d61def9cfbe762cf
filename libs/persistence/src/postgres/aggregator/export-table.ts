import { EntitySchema, type EntityManager } from 'typeorm';
import type { ListPage } from '#platform';
import { listRows, ownRows, type RowPage } from '../billing-api/list-rows.js';
import { bigintColumn, fromRow, insertRow, instantColumn, integerColumn, jsonColumn, resourceColumns, textColumn, type Row } from '../billing-api/table-columns.js';

/** What a file is to hold. Members that do not belong to its kind are left out. */
export interface ExportQuestion {
  /** RFC 3339, to the microsecond. */
  readonly from: string;
  readonly to: string;
  readonly customerId?: string;
  readonly type?: string;
  readonly meterId?: string;
  readonly window?: 'minute' | 'hour' | 'day' | 'month';
  readonly timeZone?: string;
  readonly groupBy?: readonly string[];
}

/** A file that somebody asked for. What is known only once it is written is null before. */
export interface ExportRecord {
  readonly id: string;
  readonly organizationId: string;
  readonly kind: 'events' | 'usage' | 'rated_usage' | 'invoices';
  readonly format: 'csv' | 'parquet';
  readonly question: ExportQuestion;
  readonly status: 'queued' | 'running' | 'done' | 'failed';
  readonly rows: bigint | null;
  readonly bytes: bigint | null;
  readonly sha256: string | null;
  readonly errorCode: string | null;
  readonly errorDetail: string | null;
  /** Every event acknowledged before this instant is in the file. */
  readonly freshAsOf: Temporal.Instant | null;
  readonly fileName: string | null;
  /** Whose turn it is to write it, while it is running. */
  readonly claim: string | null;
  /** How often somebody began. */
  readonly attempts: number;
  readonly finishedAt: Temporal.Instant | null;
  readonly expiresAt: Temporal.Instant | null;
  readonly createdAt: Temporal.Instant;
  readonly metadata: Readonly<Record<string, string>>;
}

const exportTable = new EntitySchema<ExportRecord>({
  name: 'Export',
  tableName: 'exports',
  columns: {
    ...resourceColumns,
    kind: textColumn('kind'),
    format: textColumn('format'),
    question: jsonColumn('question'),
    status: textColumn('status'),
    rows: bigintColumn('rows', { nullable: true }),
    bytes: bigintColumn('bytes', { nullable: true }),
    sha256: textColumn('sha256', { nullable: true }),
    errorCode: textColumn('error_code', { nullable: true }),
    errorDetail: textColumn('error_detail', { nullable: true }),
    freshAsOf: instantColumn('fresh_as_of', { nullable: true }),
    fileName: textColumn('file_name', { nullable: true }),
    claim: textColumn('claim', { nullable: true }),
    attempts: integerColumn('attempts'),
    finishedAt: instantColumn('finished_at', { nullable: true }),
    expiresAt: instantColumn('expires_at', { nullable: true }),
  },
});

export async function insertExport(manager: EntityManager, record: ExportRecord): Promise<void> {
  await insertRow(manager, exportTable, record);
}

export async function findExport(manager: EntityManager, id: string): Promise<ExportRecord | null> {
  const [row]: Row[] = await manager.query(`select * from exports where ${ownRows} and id = $1`, [id]);
  return row === undefined ? null : fromRow(exportTable, row);
}

export function listExports(manager: EntityManager, page: ListPage): Promise<RowPage<ExportRecord>> {
  return listRows(manager, exportTable, { page });
}

/** What it was, or null where there was none. */
export async function deleteExport(manager: EntityManager, id: string): Promise<ExportRecord | null> {
  const [rows]: [Row[], number] = await manager.query(`delete from exports where ${ownRows} and id = $1 returning *`, [id]);
  return rows[0] === undefined ? null : fromRow(exportTable, rows[0]);
}

/** How many of the organization's are not finished. Waits for whoever adds one at the same time, until the transaction ends. */
export async function countOpenExports(manager: EntityManager): Promise<number> {
  await manager.query(`select pg_advisory_xact_lock($1, hashtext(current_setting('app.organization_id', true)))`, [exportLockClass]);
  const [row]: { open: string }[] = await manager.query(`select count(*) as open from exports where ${ownRows} and status in ('queued', 'running')`);
  return Number(row?.open ?? 0);
}

/** Takes the export that waits longest, of all organizations, or one whose lease ran out. Nobody else gets it while the lease lasts. */
export async function claimExport(manager: EntityManager, lease: ExportLease): Promise<ExportRecord | null> {
  const [rows]: [Row[], number] = await manager.query(
    `update exports set status = 'running', claim = $1, attempts = attempts + 1, lease_until = clock_timestamp() + $2 * interval '1 millisecond'
     where id = (select id from exports where status = 'queued' or (status = 'running' and lease_until < clock_timestamp()) order by created_at, id limit 1 for update skip locked)
     returning *`,
    [lease.claim, lease.leaseMs],
  );
  return rows[0] === undefined ? null : fromRow(exportTable, rows[0]);
}

export interface ExportLease {
  readonly claim: string;
  readonly leaseMs: number;
}

/** False where it was deleted, or is another's by now. */
export async function renewExport(manager: EntityManager, id: string, lease: ExportLease): Promise<boolean> {
  return wasChanged(await manager.query(
    `update exports set lease_until = clock_timestamp() + $3 * interval '1 millisecond' where id = $1 and claim = $2 and status = 'running'`, [id, lease.claim, lease.leaseMs]));
}

/** Gives it back, to be begun anew, as if nobody had begun. */
export async function releaseExport(manager: EntityManager, { id, claim }: { readonly id: string; readonly claim: string }): Promise<void> {
  await manager.query(`update exports set status = 'queued', claim = null, lease_until = null, attempts = attempts - 1 where id = $1 and claim = $2 and status = 'running'`, [id, claim]);
}

export type ExportEnd = Pick<ExportRecord, 'status' | 'rows' | 'bytes' | 'sha256' | 'errorCode' | 'errorDetail' | 'freshAsOf' | 'fileName' | 'finishedAt' | 'expiresAt'>;

/** False where it was deleted, or is another's by now. */
export async function finishExport(manager: EntityManager, id: string, { claim, end }: { readonly claim: string; readonly end: ExportEnd }): Promise<boolean> {
  return wasChanged(await manager.query(
    `update exports set status = $3, rows = $4, bytes = $5, sha256 = $6, error_code = $7, error_detail = $8, fresh_as_of = $9, file_name = $10, finished_at = $11, expires_at = $12,
       claim = null, lease_until = null
     where id = $1 and claim = $2 and status = 'running'`,
    [
      id, claim, end.status, end.rows?.toString() ?? null, end.bytes?.toString() ?? null, end.sha256, end.errorCode, end.errorDetail, end.freshAsOf?.toString() ?? null, end.fileName,
      end.finishedAt?.toString() ?? null, end.expiresAt?.toString() ?? null,
    ],
  ));
}

/** TypeORM answers an update with its rows and how many were changed. */
function wasChanged([, changed]: [unknown, number]): boolean {
  return changed > 0;
}

const exportLockClass = 7_420_050;
