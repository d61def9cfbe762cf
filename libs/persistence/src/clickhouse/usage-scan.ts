import { compareBytewise, countingRule, rollupsName, type DataPath, type Expression, type Meter, type MeterPart } from '#domain';
import { quoted, rowsLiteral } from './clickhouse.js';
import { eventsAtCutSql, type EventsAtCut } from './events-at-cut.js';
import { meterSql } from './meter-sql.js';
import type { Placeholders } from './sql-builder.js';
import type { GroupOrder } from './usage-query.js';

/** A stretch of a subject's usage that goes to one line of the answer; half-open, microseconds since 1970. */
export interface UsageSpan {
  readonly ref: number;
  readonly bucket: number;
  readonly subject: string;
  readonly from: bigint;
  readonly to: bigint;
  /** Ends of the windows within it, ascending, the last at or after `to`; empty where windows are the scan's. */
  readonly ends: readonly bigint[];
}

/** What is read from raw events; everything else comes from rollups. */
export type RawPart =
  | { readonly kind: 'all' }
  /** Whole hours (seconds since 1970), and hours of single buckets. */
  | { readonly kind: 'some'; readonly hours: readonly number[]; readonly cells: readonly { readonly hour: number; readonly bucket: number }[] };

export interface ScanSubject {
  readonly name: string;
  readonly bucket: number;
}

/** Puts groups in an order by their value over the whole range, and shows the first of them. */
export interface GroupRanking {
  readonly order: GroupOrder;
  readonly groupsMax: number | null;
  /** Whether a group may have more than one row. */
  readonly hasWindows: boolean;
}

/** A stretch of time in which one version of the meter counts. */
export interface ScanPart {
  readonly meter: MeterPart;
  /** Microseconds since 1970. */
  readonly from: bigint;
  readonly to: bigint;
  readonly raw: RawPart;
}

/** Which events of a meter. */
export interface EventScope {
  /** In the order of time, at least one. */
  readonly parts: readonly ScanPart[];
  /** Null takes all subjects. */
  readonly spans: readonly UsageSpan[] | null;
  /** Whether usage outside all spans is kept, under ref 0. */
  readonly keepsRest: boolean;
  /** Null takes all subjects. */
  readonly subjects: readonly ScanSubject[] | null;
  /** Events that are left out; rollups don't know them, so everything is read raw. */
  readonly exempt?: Expression | null;
  /** Events as a cut of the log left them; rollups don't know them, so everything is read raw. Left out, as they are by now. */
  readonly atCut?: EventsAtCut | null;
}

export interface UsageScan extends EventScope {
  readonly meter: Meter;
  /** Microseconds since 1970, those of the first and the last part. */
  readonly from: bigint;
  readonly to: bigint;
  /** The window of an instant `at`, a number of microseconds; spans with ends bring their own. */
  readonly window: string;
  /** The window of a whole hour of rollups, a number of seconds; null where windows cut hours, or spans bring their own. */
  readonly hourWindow: string | null;
  /** The meter's dimensions to group by. */
  readonly dimensions: readonly string[];
  readonly groupsBySubject: boolean;
  readonly filters: readonly { readonly dimension: string; readonly texts: readonly string[] }[];
  /** Null where groups stand by their keys and all are shown. */
  readonly ranking: GroupRanking | null;
  /** Each window's answer is of everything since the span's beginning. */
  readonly isCumulative: boolean;
  /** The time before `from`, which gauges bring a value along from; null where nothing is brought along. */
  readonly before: readonly ScanPart[] | null;
  readonly rowsMax: number;
}

export interface ScanRow {
  readonly ref: number;
  /** The window's beginning in microseconds; with spans that have ends, the end's place among them, from 1. */
  readonly window_key: string;
  readonly subject: string;
  readonly groups: readonly string[];
  readonly events_text: string;
  readonly value: string;
  /** With a ranking: the group's place, from 1, the rest behind the last one that is shown; otherwise 0. */
  readonly place: string;
  /** With a ranking: how many groups there are. */
  readonly groups_total: string;
}

/** What rows of parts are grouped by. */
export const scanKeys = 'key_ref, key_window, key_subject, key_groups';
/** Up to so many subjects stand in the statement itself. */
const listedSubjectsMax = 100;
/** Up to so many ends of windows stand beside each subject of their slice; of more each list stands once. */
const repeatedEndsMax = 5_000;

/** Spans and cells as relations. They are data, not conditions: their number does not change the query's form. */
export function scanRelations(scan: EventScope): string {
  const relations: string[] = [];
  if (scan.spans !== null) {
    relations.push(`spans AS (${spansSql(scan.spans)})`);
  }
  // Of two parts is only an hour that an instant between them cuts, and it is raw in both.
  const raw = scan.parts.flatMap((part) => (part.raw.kind === 'some' ? [part.raw] : []));
  const hours = new Set(raw.flatMap((part) => part.hours));
  if (hours.size > 0) relations.push(`raw_hours AS (SELECT * FROM ${rowsLiteral('raw_hour UInt32', [...hours].map((hour) => `[${hour}]`))})`);
  const cells = raw.flatMap((part) => part.cells);
  if (cells.length > 0) relations.push(`raw_cells AS (SELECT * FROM ${rowsLiteral('cell_hour UInt32, cell_bucket UInt8', cells.map(({ hour, bucket }) => `[${hour},${bucket}]`))})`);
  return relations.length === 0 ? '' : `WITH ${relations.join(', ')}`;
}

/** Text of a statement costs more than what is read for it, and periods that are rated together mostly have the same ends: those are said once. */
function spansSql(spans: readonly UsageSpan[]): string {
  const columns = 'span_ref UInt32, span_bucket UInt8, span_subject String, span_from Int64, span_to Int64';
  const row = ({ ref, bucket, subject, from, to }: UsageSpan): string => `${ref},${bucket},${JSON.stringify(subject)},"${from}","${to}"`;
  const bare = (): string => rowsLiteral(columns, spans.map((span) => `[${row(span)}]`));
  if (!hasEnds(spans)) return `SELECT * FROM ${bare()}`;
  const texts = spans.map(({ ends }) => ends.map((end) => `"${end}"`).join(','));
  const lists = new Map([...new Set(texts)].map((text, place) => [text, place]));
  const [only = ''] = texts;
  if (lists.size === 1) return `SELECT *, [${only.replaceAll('"', '')}]::Array(Int64) AS span_ends FROM ${bare()}`;
  if (spans.reduce((sum, { ends }) => sum + ends.length, 0) <= repeatedEndsMax) {
    return `SELECT * FROM ${rowsLiteral(`${columns}, span_ends Array(Int64)`, spans.map((span, index) => `[${row(span)},[${texts[index] ?? ''}]]`))}`;
  }
  const listed = rowsLiteral(`${columns}, span_list UInt32`, spans.map((span, index) => `[${row(span)},${lists.get(texts[index] ?? '') ?? 0}]`));
  const ends = rowsLiteral('ends_list UInt32, span_ends Array(Int64)', [...lists].map(([text, place]) => `[${place},[${text}]]`));
  return `SELECT * FROM ${listed} AS listed INNER JOIN ${ends} AS span_lists ON listed.span_list = span_lists.ends_list`;
}

function hasEnds(spans: readonly UsageSpan[]): boolean {
  return spans.some(({ ends }) => ends.length > 0);
}

/** True for hours that are read raw; `hour` is a number of seconds. */
export function isRawHour(raw: RawPart, hour: string): string {
  if (raw.kind === 'all') return '1';
  const conditions = [
    ...(raw.hours.length > 0 ? [`${hour} IN (SELECT raw_hour FROM raw_hours)`] : []),
    ...(raw.cells.length > 0 ? [`(${hour}, bucket) IN (SELECT cell_hour, cell_bucket FROM raw_cells)`] : []),
  ];
  return conditions.length === 0 ? '0' : `(${conditions.join(' OR ')})`;
}

export function subjectCondition(scan: EventScope, placeholders: Placeholders): string {
  const conditions: string[] = [];
  if (scan.subjects !== null) {
    const buckets = [...new Set(scan.subjects.map(({ bucket }) => bucket))];
    conditions.push(`bucket IN (${buckets.join(', ')}) AND subject IN ${placeholders.texts(scan.subjects.map(({ name }) => name))}`);
  }
  if (scan.spans !== null && !scan.keepsRest) conditions.push(`(bucket, subject) IN (${spanSubjects(scan.spans)})`);
  return conditions.length === 0 ? '1' : conditions.join(' AND ');
}

function spanSubjects(spans: readonly UsageSpan[]): string {
  const subjects = new Map(spans.map(({ bucket, subject }) => [subject, bucket]));
  if (subjects.size > listedSubjectsMax) return 'SELECT span_bucket, span_subject FROM spans';
  return [...subjects].map(([subject, bucket]) => `(${bucket}, ${quoted(subject)})`).join(', ');
}

/** What is read of counted events beside their values and groups. */
export interface CountedColumns {
  /** A path at which events state a decimal. */
  readonly statedPath?: DataPath | null;
  /** Further columns of events. */
  readonly more?: readonly string[];
}

/** The raw events that the meter counts, each with its value, its groups, and the decimal at a path of the caller's. */
export function countedSql(scope: EventScope, placeholders: Placeholders, columns: CountedColumns = {}): string {
  return scope.parts.map((part) => countedPart(scope, { part, placeholders, ...columns })).join(' UNION ALL ');
}

/** Those of one version. */
export function countedPart(scope: EventScope, of: CountedColumns & { readonly part: ScanPart; readonly placeholders: Placeholders }): string {
  const { part, placeholders, statedPath = null } = of;
  const sql = meterSql(countingRule(part.meter), placeholders, { statedPath, exempt: scope.exempt ?? null });
  const columns = ['bucket', 'subject', 'time', 'source', 'id', 'appended_at', 'position', 'partition', ...(of.more ?? [])];
  const conditions = partConditions(scope, part, placeholders);
  const events = scope.atCut === undefined || scope.atCut === null
    ? `events FINAL PREWHERE ${conditions}`
    : `${eventsAtCutSql(scope.atCut, { columns: [...new Set([...columns, 'data'])], conditions, organization: placeholders.text(part.meter.organizationId) })} AS events`;
  const raw = `SELECT ${columns.join(', ')}, toUnixTimestamp64Micro(time) AS at${sql.columns.map((column) => `, ${column}`).join('')} FROM ${events}`;
  return `
    SELECT ${columns.join(', ')}, at, ${sql.value} AS value, [${sql.dimensions.join(', ')}]::Array(String) AS group_values, ${sql.stated} AS stated
    FROM (${raw}) WHERE ${sql.filter} AND isNotNull(value)`;
}

/** Which rows of events are in question, of all versions. */
export function eventConditions(scope: EventScope, placeholders: Placeholders): string {
  return `(${scope.parts.map((part) => `(${partConditions(scope, part, placeholders)})`).join(' OR ')})`;
}

/** Of the sorting key alone, as for rollups. */
function partConditions(scope: EventScope, part: ScanPart, placeholders: Placeholders): string {
  return `organization_id = ${placeholders.text(part.meter.organizationId)} AND event_type = ${placeholders.text(part.meter.eventType)}
      AND ${subjectCondition(scope, placeholders)}
      AND time >= fromUnixTimestamp64Micro(${part.from}, 'UTC') AND time < fromUnixTimestamp64Micro(${part.to}, 'UTC')
      AND ${isRawHour(part.raw, `toUnixTimestamp(toStartOfHour(time, 'UTC'))`)}`;
}

/** True for what lies in the span that its subject was joined with. */
export const inScopeSpans = 'at >= span_from AND at < span_to';

/** Which rows of usage_rollups are a version's and are not read raw. Of the sorting key alone, so that it may be asked before versions of a row are told apart. */
export function rollupCondition(scan: EventScope, part: ScanPart, placeholders: Placeholders): string {
  return `organization_id = ${placeholders.text(part.meter.organizationId)} AND meter_id = ${placeholders.text(rollupsName(part.meter))} AND ${subjectCondition(scan, placeholders)}
      AND hour >= toDateTime(${part.from / 1_000_000n}, 'UTC') AND hour < toDateTime(${(part.to + 999_999n) / 1_000_000n}, 'UTC') AND NOT ${isRawHour(part.raw, 'toUnixTimestamp(hour)')}`;
}

/** A row's text of a dimension: `group_values` has one for each of `names`, in their bytewise order; for others it is "". */
export function dimensionText(dimension: string, names: readonly string[]): string {
  return names.includes(dimension) ? `group_values[${names.toSorted(compareBytewise).indexOf(dimension) + 1}]` : `''`;
}

/** The window of a row at the instant `at`. */
export function windowOfSql(scan: UsageScan): string {
  return scan.spans === null || !hasEnds(scan.spans) ? scan.window : `if(empty(span_ends), toInt64(${scan.window}), toInt64(arrayFirstIndex(window_end -> window_end > at, span_ends)))`;
}
