import type { Meter, MeterPart } from '#domain';
import type { Statement } from './clickhouse.js';
import { gaugePart } from './gauge-scan.js';
import { boundedMemory, Placeholders } from './sql-builder.js';
import { countedPart, dimensionText, type GroupRanking, inScopeSpans, type RawPart, rollupCondition, scanKeys as keys, scanRelations, type ScanPart, type UsageScan, windowOfSql } from './usage-scan.js';
import { addsUp, answerSql, lineStateOf, rankSql, stateOf } from './usage-states.js';

const settings = `SETTINGS ${boundedMemory}, join_use_nulls=0, transform_null_in=0`;

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

function rawPart(scan: UsageScan, part: ScanPart, placeholders: Placeholders): string {
  const state = stateOf[scan.meter.aggregation];
  return grouped(scan, placeholders, { meter: part.meter, rows: countedPart(scan, { part, placeholders }), columns: `count() AS part_events${state === null ? '' : `, ${state.fromRaw} AS part_state`}` });
}

function rollupPart(scan: UsageScan, part: ScanPart, placeholders: Placeholders): string {
  const state = stateOf[scan.meter.aggregation];
  const rows = `
    SELECT subject, toInt64(toUnixTimestamp(hour)) * 1000000 AS at, group_values, count${state === null ? '' : `, ${state.name}`}
    FROM usage_rollups FINAL PREWHERE ${rollupCondition(scan, part, placeholders)}`;
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

/** Whether any raw event is read. */
function readsRaw(raw: RawPart): boolean {
  return raw.kind === 'all' || raw.hours.length > 0 || raw.cells.length > 0;
}
