import { rollupsName } from '#domain';
import { quoted, type Statement } from './clickhouse.js';
import { boundedMemory } from './sql-builder.js';
import { hourMicros } from './subject-spans.js';
import { dimensionText, type ScanPart, type ScanRow, type UsageScan } from './usage-scan.js';
import { answerSql, stateOf } from './usage-states.js';

/** A row of the statement: the window's beginning in seconds. */
export interface HoursRow {
  readonly window_second: number;
  readonly events: number | string;
  readonly value: string;
  /** Where it is grouped by. */
  readonly whose?: string;
  readonly groups?: readonly string[];
}

/**
 * The statement of a scan that whole, clean hours of one version answer: one grouping straight over the rollups. ClickHouse takes
 * longer to work a statement out than to read a customer's month, and each level, join and function adds to that. Null where
 * there is more to it. Rows come in no order.
 */
export function hoursStatement(scan: UsageScan): Statement | null {
  const [part, ...others] = scan.parts;
  if (part === undefined || others.length > 0 || scan.before !== null || scan.spans !== null || scan.ranking !== null || scan.isCumulative) return null;
  if (scan.hourWindow === null || part.raw.kind === 'all' || part.raw.hours.length > 0 || part.raw.cells.length > 0) return null;
  if (part.from % hourMicros !== 0n || part.to % hourMicros !== 0n) return null;
  const textOf = (dimension: string): string => dimensionText(dimension, Object.keys(part.meter.groupBy));
  const more = [
    ...(scan.groupsBySubject ? ['subject AS whose'] : []),
    ...(scan.dimensions.length > 0 ? [`[${scan.dimensions.map(textOf).join(', ')}]::Array(String) AS groups`] : []),
  ];
  const keys = ['window_second', ...(scan.groupsBySubject ? ['whose'] : []), ...(scan.dimensions.length > 0 ? ['groups'] : [])];
  const filters = scan.filters.map(({ dimension, texts }) => `${textOf(dimension)} IN (${texts.map(quoted).join(', ')})`);
  return {
    sql: `SELECT ${[`${scan.hourWindow} AS window_second`, 'sum(count) AS events', `${answerSql(scan.meter, { state: stateOf[scan.meter.aggregation]?.fromRollup ?? '', events: 'events' })} AS value`, ...more].join(', ')}
      FROM usage_rollups FINAL PREWHERE ${hoursCondition(scan, part)}${filters.length === 0 ? '' : ` WHERE ${filters.join(' AND ')}`}
      GROUP BY ${keys.join(', ')} HAVING events > 0 LIMIT ${scan.rowsMax + 1} SETTINGS ${boundedMemory}`,
  };
}

export function toScanRow(row: HoursRow): ScanRow {
  return { ref: 0, window_key: `${row.window_second}000000`, subject: row.whose ?? '', groups: row.groups ?? [], events_text: String(row.events), value: row.value, place: '0', groups_total: '0' };
}

/** Of the sorting key alone. Texts stand in the statement: setting a parameter is a statement of its own to ClickHouse. */
function hoursCondition(scan: UsageScan, { meter, from, to }: ScanPart): string {
  const subjects = scan.subjects === null ? [] : [
    `bucket IN (${[...new Set(scan.subjects.map(({ bucket }) => bucket))].join(', ')})`,
    `subject IN (${scan.subjects.map(({ name }) => quoted(name)).join(', ')})`,
  ];
  const own = [`organization_id = ${quoted(meter.organizationId)}`, `meter_id = ${quoted(rollupsName(meter))}`];
  return [...own, ...subjects, `hour >= ${from / 1_000_000n}`, `hour < ${to / 1_000_000n}`].join(' AND ');
}
