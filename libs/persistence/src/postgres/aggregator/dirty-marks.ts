import type { EntityManager } from 'typeorm';
import { preparedQuery } from '../prepared-query.js';

/** An hour of one bucket of subjects, of one type of event. */
export interface Cell {
  readonly organizationId: string;
  readonly eventType: string;
  /** Seconds since 1970, a whole hour. */
  readonly hour: number;
  readonly bucket: number;
}

/** A cell whose rollups lag behind its events. */
export interface DirtyMark extends Cell {
  readonly generation: bigint;
}

/**
 * Marks cells with a new generation each, across organizations. Generations come from one sequence, so a mark that was
 * cleared and made again never gets an old one. Rows are taken in one order, so that two partitions never wait for each other.
 */
export async function bumpMarks(manager: EntityManager, cells: readonly Cell[]): Promise<void> {
  if (cells.length === 0) return;
  await manager.query(
    `insert into dirty_marks as mark (organization_id, event_type, hour, bucket, generation, first_marked_at, last_marked_at)
     select organization_id, event_type, to_timestamp(hour), bucket, nextval('dirty_mark_generation'), clock_timestamp(), clock_timestamp()
     from (select * from unnest($1::text[], $2::text[], $3::bigint[], $4::smallint[]) as cell (organization_id, event_type, hour, bucket)
           order by organization_id collate "C", event_type collate "C", hour, bucket) cell
     on conflict (organization_id, event_type, hour, bucket) do update set generation = nextval('dirty_mark_generation'), last_marked_at = excluded.last_marked_at`,
    [cells.map((cell) => cell.organizationId), cells.map((cell) => cell.eventType), cells.map((cell) => cell.hour), cells.map((cell) => cell.bucket)],
  );
}

/** A generation above all that were given out. */
export async function nextGeneration(manager: EntityManager): Promise<bigint> {
  const [row]: { generation: string }[] = await manager.query(`select nextval('dirty_mark_generation') as generation`);
  return BigInt(row?.generation ?? '0');
}

export interface MarkPatience {
  /** A cell is recomputed once nothing has marked it for this long, … */
  readonly quietMs: number;
  /** … or once it has waited this long. */
  readonly waitMaxMs: number;
}

/** Types of event that have marks to be worked off, across organizations, the longest waiting first. */
export async function findDueTypes(manager: EntityManager, options: MarkPatience & { readonly limit: number }): Promise<{ organizationId: string; eventType: string }[]> {
  const rows: { organization_id: string; event_type: string }[] = await manager.query(
    `select organization_id, event_type from dirty_marks where ${isDue}
     group by organization_id, event_type order by min(first_marked_at) limit $3`,
    [options.quietMs, options.waitMaxMs, options.limit],
  );
  return rows.map((row) => ({ organizationId: row.organization_id, eventType: row.event_type }));
}

/** The due marks of one type, oldest hour first; by the transaction's organization. */
export async function findDueMarks(
  manager: EntityManager,
  options: MarkPatience & { readonly organizationId: string; readonly eventType: string; readonly limit: number },
): Promise<DirtyMark[]> {
  const rows: MarkRow[] = await manager.query(
    `select ${markColumns} from dirty_marks where ${isDue} and organization_id = $4 and event_type = $5 order by dirty_marks.hour, dirty_marks.bucket limit $3`,
    [options.quietMs, options.waitMaxMs, options.limit, options.organizationId, options.eventType],
  );
  return rows.map(toMark);
}

/**
 * Takes marks away, except those that were bumped since they were read. One that is being bumped at this moment is passed
 * over, not waited for: it will be newer anyway, and whoever waits for nothing can't be part of a deadlock.
 */
export async function clearMarks(manager: EntityManager, marks: readonly DirtyMark[]): Promise<void> {
  const [first] = marks;
  if (first === undefined) return;
  await manager.query(
    // By their places, which stand still while the rows are locked: a join would be planned for the few rows that statistics know of.
    `delete from dirty_marks where ctid = any (array(
       select mark.ctid from dirty_marks mark
       join unnest($3::bigint[], $4::smallint[], $5::bigint[]) as read (hour, bucket, generation)
         on mark.hour = to_timestamp(read.hour) and mark.bucket = read.bucket and mark.generation = read.generation
       where mark.organization_id = $1 and mark.event_type = $2
       for update of mark skip locked))`,
    [first.organizationId, first.eventType, marks.map((mark) => mark.hour), marks.map((mark) => mark.bucket), marks.map((mark) => mark.generation.toString())],
  );
}

export interface CellRange {
  readonly organizationId: string;
  readonly eventType: string;
  /** Hours that overlap [from, to). */
  readonly from: Temporal.Instant;
  readonly to: Temporal.Instant;
  /** Null for all. */
  readonly buckets: readonly number[] | null;
  readonly limit: number;
}

/** The dirty cells of a range, at most `limit`. */
export async function readDirtyCells(manager: EntityManager, range: CellRange): Promise<{ hour: number; bucket: number }[]> {
  const rows = await preparedQuery<{ hour: string; bucket: number }>(manager, {
    name: 'read_dirty_cells',
    text: `select extract(epoch from hour)::bigint as hour, bucket from dirty_marks
     where organization_id = $1 and event_type = $2 and hour > $3::timestamptz - interval '1 hour' and hour < $4 and ($5::smallint[] is null or bucket = any($5))
     limit $6`,
    values: [range.organizationId, range.eventType, range.from.toString(), range.to.toString(), range.buckets, range.limit],
  });
  return rows.map(({ hour, bucket }) => ({ hour: Number(hour), bucket }));
}

const isDue = `(last_marked_at <= clock_timestamp() - $1 * interval '1 millisecond' or first_marked_at <= clock_timestamp() - $2 * interval '1 millisecond')`;
const markColumns = 'organization_id, event_type, extract(epoch from hour)::bigint as hour, bucket, generation';

interface MarkRow {
  readonly organization_id: string;
  readonly event_type: string;
  readonly hour: string;
  readonly bucket: number;
  readonly generation: string;
}

function toMark(row: MarkRow): DirtyMark {
  return { organizationId: row.organization_id, eventType: row.event_type, hour: Number(row.hour), bucket: row.bucket, generation: BigInt(row.generation) };
}
