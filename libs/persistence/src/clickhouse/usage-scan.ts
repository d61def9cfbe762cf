import { compareBytewise, countingRule, rollupsName, type DataPath, type Expression, type Meter, type MeterPart } from '#domain';
import { quoted, rowsLiteral, type Statement } from './clickhouse.js';
import { eventsAtCutSql, type EventsAtCut } from './events-at-cut.js';
import { gaugePart } from './gauge-scan.js';
import { meterSql } from './meter-sql.js';
import { Placeholders } from './sql-builder.js';
import { addsUp, answerSql, lineStateOf, rankSql, stateOf } from './usage-states.js';
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

const memoryMaxBytes = 1_000_000_000;
const settings = `SETTINGS max_memory_usage=${memoryMaxBytes}, max_bytes_before_external_group_by=${memoryMaxBytes / 4}, max_bytes_before_external_sort=${memoryMaxBytes / 4}, join_use_nulls=0, transform_null_in=0`;
/** What rows of parts are grouped by. */
export const scanKeys = 'key_ref, key_window, key_subject, key_groups';
const keys = scanKeys;
/** Up to so many subjects stand in the statement itself. */
const listedSubjectsMax = 100;
/** Up to so many ends of windows stand beside each subject of their slice; more stand once for each slice. */
const repeatedEndsMax = 5_000;

/**
 * The one query of usage. It reads an organization's rows only, whoever asks; clean hours come from rollups, the rest
 * from raw events, deduplicated before anything is filtered. What a scan has no need of does not stand in the statement:
 * for one customer's usage, working the statement out costs several times what reading does.
 */
export function usageStatement(scan: UsageScan): Statement {
  const placeholders = new Placeholders();
  const parts = scan.before !== null ? [gaugePart(scan, placeholders)] : scan.parts.flatMap((part) => [
    ...(readsRaw(part.raw) ? [rawPart(scan, part, placeholders)] : []),
    ...(part.raw.kind === 'all' ? [] : [rollupPart(scan, part, placeholders)]),
  ]);
  return {
    sql: `${scanRelations({ ...scan, parts: [...(scan.before ?? []), ...scan.parts] })}
      SELECT key_ref AS ref, toString(key_window) AS window_key, key_subject AS subject, key_groups AS groups, toString(events) AS events_text,
        ${answerSql(scan.meter, { state: 'state', events: 'events' })} AS value, toString(${scan.ranking === null ? '0' : 'key_place'}) AS place,
        toString(${scan.ranking === null ? '0' : 'key_total'}) AS groups_total
      FROM (${shown(mergedParts(parts, scan), scan)})
      ORDER BY ${scan.ranking === null ? keys : 'key_window, key_place'} LIMIT ${scan.rowsMax + 1} ${settings}`,
    parameters: placeholders.parameters,
  };
}

/** One row for each key. A part of rollups or raw events has one already. */
function mergedParts(parts: readonly string[], scan: UsageScan): string {
  const state = lineStateOf(scan.meter.aggregation);
  const isGauge = scan.before !== null;
  if (parts.length === 1 && !isGauge) return `SELECT ${keys}, part_events AS events${state === null ? '' : ', part_state AS state'} FROM (${parts[0] ?? ''}) WHERE part_events > 0`;
  return `
    SELECT ${keys}, sum(part_events) AS events${state === null ? '' : `, ${state.merged('part_state', 'part_events')} AS state`}
    FROM (${parts.join(' UNION ALL ')}) GROUP BY ${keys}${isGauge ? '' : ' HAVING events > 0'}`;
}

function shown(merged: string, scan: UsageScan): string {
  if (scan.isCumulative) return cumulated(merged, scan);
  return scan.ranking === null ? merged : ranked(merged, { meter: scan.meter, ranking: scan.ranking });
}

/**
 * Gives each group its place, the same in every window. Groups behind the last that is shown become one, whose place is
 * the next; where groups do not add up they are left out.
 */
function ranked(merged: string, { meter, ranking }: { meter: Meter; ranking: GroupRanking }): string {
  const state = lineStateOf(meter.aggregation);
  const column = state === null ? '' : ', state';
  const group = 'key_ref, key_subject, key_groups';
  const whole = ranking.hasWindows ? ` OVER (PARTITION BY ${group})` : '';
  const [wholeState, wholeEvents] = ranking.hasWindows ? [`${state?.merged('state', 'events') ?? ''}${whole}`, `sum(events)${whole}`] : ['state', 'events'];
  const rank = ranking.order === 'key' ? '0' : rankSql(meter, { state: wholeState, events: wholeEvents });
  const direction = ranking.order === 'greatest_first' ? 'DESC' : 'ASC';
  const placed = `
    SELECT ${keys}, events${column}, dense_rank() OVER (ORDER BY rank ${direction}, ${group}) AS place
    FROM (SELECT ${keys}, events${column}, ${rank} AS rank FROM (${merged}))`;
  const last = ranking.groupsMax;
  if (last === null) return `SELECT ${keys}, events${column}, place AS key_place, max(place) OVER () AS key_total FROM (${placed})`;
  const cut = `
    SELECT if(place > ${last}, toUInt32(0), key_ref) AS cut_ref, key_window AS cut_window, if(place > ${last}, '', key_subject) AS cut_subject,
      if(place > ${last}, []::Array(String), key_groups) AS cut_groups, least(place, ${last + 1}) AS cut_place, max(place) OVER () AS cut_total, events AS cut_events
      ${state === null ? '' : ', state AS cut_state'}
    FROM (${placed})`;
  return `
    SELECT cut_ref AS key_ref, cut_window AS key_window, cut_subject AS key_subject, cut_groups AS key_groups, cut_place AS key_place, any(cut_total) AS key_total,
      sum(cut_events) AS events${state === null ? '' : `, ${state.merged('cut_state', 'cut_events')} AS state`}
    FROM (${cut}) ${addsUp.has(meter.aggregation) ? '' : `WHERE cut_place <= ${last}`}
    GROUP BY ${keys}, key_place`;
}

/** Each window with everything since its span's beginning. */
function cumulated(merged: string, scan: UsageScan): string {
  const state = stateOf[scan.meter.aggregation];
  const over = 'OVER (PARTITION BY key_ref, key_subject, key_groups ORDER BY key_window ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)';
  const parts = `SELECT ${keys}, events AS part_events${state === null ? '' : ', state AS part_state'} FROM (${merged})`;
  const column = state === null ? '' : `, ${state.merged('part_state', 'part_events')} ${over} AS state`;
  return `SELECT ${keys}, sum(part_events) ${over} AS events${column} FROM (${parts})`;
}

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

function spansSql(spans: readonly UsageSpan[]): string {
  const columns = 'span_ref UInt32, span_bucket UInt8, span_subject String, span_from Int64, span_to Int64';
  const row = ({ ref, bucket, subject, from, to }: UsageSpan): string => `${ref},${bucket},${JSON.stringify(subject)},"${from}","${to}"`;
  const endsOf = (ends: readonly bigint[]): string => `[${ends.map((end) => `"${end}"`).join(',')}]`;
  if (!hasEnds(spans)) return `SELECT * FROM ${rowsLiteral(columns, spans.map((span) => `[${row(span)}]`))}`;
  if (spans.reduce((sum, { ends }) => sum + ends.length, 0) <= repeatedEndsMax) {
    return `SELECT * FROM ${rowsLiteral(`${columns}, span_ends Array(Int64)`, spans.map((span) => `[${row(span)},${endsOf(span.ends)}]`))}`;
  }
  const bare = rowsLiteral(columns, spans.map((span) => `[${row(span)}]`));
  const ends = [...new Map(spans.map((span) => [span.ref, span.ends]))].map(([ref, list]) => `[${ref},${endsOf(list)}]`);
  return `SELECT * FROM ${bare} AS bare INNER JOIN ${rowsLiteral('end_ref UInt32, span_ends Array(Int64)', ends)} AS slice_ends ON bare.span_ref = slice_ends.end_ref`;
}

function hasEnds(spans: readonly UsageSpan[]): boolean {
  return spans.some(({ ends }) => ends.length > 0);
}

/** Whether any raw event is read. */
function readsRaw(raw: RawPart): boolean {
  return raw.kind === 'all' || raw.hours.length > 0 || raw.cells.length > 0;
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

function rawPart(scan: UsageScan, part: ScanPart, placeholders: Placeholders): string {
  const state = stateOf[scan.meter.aggregation];
  return grouped(scan, placeholders, { meter: part.meter, rows: countedPart(scan, { part, placeholders }), columns: `count() AS part_events${state === null ? '' : `, ${state.fromRaw} AS part_state`}` });
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
    ? `events FINAL WHERE ${conditions}`
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

function partConditions(scope: EventScope, part: ScanPart, placeholders: Placeholders): string {
  return `organization_id = ${placeholders.text(part.meter.organizationId)} AND event_type = ${placeholders.text(part.meter.eventType)}
      AND ${subjectCondition(scope, placeholders)}
      AND time >= fromUnixTimestamp64Micro(${part.from}, 'UTC') AND time < fromUnixTimestamp64Micro(${part.to}, 'UTC')
      AND ${isRawHour(part.raw, `toUnixTimestamp(toStartOfHour(time, 'UTC'))`)}`;
}

/** True for what lies in the span that its subject was joined with. */
export const inScopeSpans = 'at >= span_from AND at < span_to';

/** Which rows of usage_rollups are a version's and are not read raw. */
export function rollupCondition(scan: EventScope, part: ScanPart, placeholders: Placeholders): string {
  return `organization_id = ${placeholders.text(part.meter.organizationId)} AND meter_id = ${placeholders.text(rollupsName(part.meter))} AND ${subjectCondition(scan, placeholders)}
      AND hour >= toDateTime(${part.from / 1_000_000n}, 'UTC') AND hour < toDateTime(${(part.to + 999_999n) / 1_000_000n}, 'UTC') AND NOT ${isRawHour(part.raw, 'toUnixTimestamp(hour)')}`;
}

function rollupPart(scan: UsageScan, part: ScanPart, placeholders: Placeholders): string {
  const state = stateOf[scan.meter.aggregation];
  const rows = `
    SELECT subject, toInt64(toUnixTimestamp(hour)) * 1000000 AS at, group_values, count${state === null ? '' : `, ${state.name}`}
    FROM usage_rollups FINAL WHERE ${rollupCondition(scan, part, placeholders)}`;
  return grouped(scan, placeholders, { meter: part.meter, rows, columns: `sum(count) AS part_events${state === null ? '' : `, ${state.fromRollup} AS part_state`}` });
}

/**
 * Gives each row its line of the answer and its window, and groups. An hour that no boundary cuts belongs to the window
 * that its beginning belongs to; each instant lies in the window that ends first after it.
 */
function grouped(scan: UsageScan, placeholders: Placeholders, part: { meter: MeterPart; rows: string; columns: string }): string {
  const textOf = (dimension: string): string => dimensionText(dimension, Object.keys(part.meter.groupBy));
  const filters = scan.filters.map(({ dimension, texts }) => `${textOf(dimension)} IN ${placeholders.texts(texts)}`);
  const conditions = [...filters, ...(scan.spans === null ? [] : [scan.keepsRest ? `(span_to = 0 OR (${inScopeSpans}))` : inScopeSpans])];
  const join = scan.spans === null ? '' : `${scan.keepsRest ? 'LEFT' : 'INNER'} JOIN spans ON counted.subject = spans.span_subject`;
  return `
    SELECT ${scan.spans === null ? 'toUInt32(0)' : 'span_ref'} AS key_ref, toInt64(${windowOfSql(scan)}) AS key_window, ${scan.groupsBySubject ? 'subject' : `''`} AS key_subject,
      [${scan.dimensions.map(textOf).join(', ')}]::Array(String) AS key_groups, ${part.columns}
    FROM (${part.rows}) AS counted ${join}
    WHERE ${conditions.length === 0 ? '1' : conditions.join(' AND ')}
    GROUP BY ${keys}`;
}

/** A row's text of a dimension: `group_values` has one for each of `names`, in their bytewise order; for others it is "". */
export function dimensionText(dimension: string, names: readonly string[]): string {
  return names.includes(dimension) ? `group_values[${names.toSorted(compareBytewise).indexOf(dimension) + 1}]` : `''`;
}

/** The window of a row at the instant `at`. */
export function windowOfSql(scan: UsageScan): string {
  return scan.spans === null || !hasEnds(scan.spans) ? scan.window : `if(empty(span_ends), toInt64(${scan.window}), toInt64(arrayFirstIndex(window_end -> window_end > at, span_ends)))`;
}
