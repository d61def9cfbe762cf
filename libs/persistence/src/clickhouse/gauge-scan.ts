import { assert } from '#platform';
import type { Placeholders } from './sql-builder.js';
import { countedSql, groupFilters, isRawHour, type RawPart, scanKeys, subjectCondition, type UsageScan, windowOfSql } from './usage-scan.js';

const series = 'bucket, subject, group_values';
const nothing = 'toDecimal256(0, 18)';
const hourMicros = 3_600_000_000n;

/**
 * What gauges do in each window of each line, as parts that add up. A series is a subject and a value of every dimension. Its events, the hours
 * that rollups have of it, and the value that it brings along from before the range stand one after the other; each value lasts until
 * the next of them begins, and what of that lies within a span begins and ends in the windows of its ends.
 */
export function gaugePart(scan: UsageScan, placeholders: Placeholders): string {
  const points = [rawPoints(scan, placeholders), carriedPoints(scan, placeholders), ...(scan.raw.kind === 'all' ? [] : [rollupPoints(scan, placeholders)])];
  const filters = groupFilters(scan, placeholders);
  const lasting = `
    SELECT *, leadInFrame(first_at, 1, toInt64(${scan.to})) OVER (PARTITION BY ${series} ORDER BY first_at, part_count > 0, appended_at, position, partition
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS next_at
    FROM (${points.join(' UNION ALL ')}) WHERE ${filters.length === 0 ? '1' : filters.join(' AND ')}`;
  return `
    SELECT ${scan.spans === null ? 'toUInt32(0)' : 'span_ref'} AS key_ref, toInt64(${windowOfSql(scan)}) AS key_window, ${scan.groupsBySubject ? 'subject' : `''`} AS key_subject,
      [${scan.dimensions.map((dimension) => `group_values[${dimension + 1}]`).join(', ')}]::Array(String) AS key_groups,
      sum(change.2) AS part_events, [sum(change.3), sum(change.4), toDecimal256(sum(change.5), 18)] AS part_state
    FROM (SELECT *, change.1 AS at FROM (${changesSql(scan, lasting)}))
    GROUP BY ${scanKeys}`;
}

/** Rows of (instant of the window, events, delta, area, opened): one for the events, one where the value begins to last and one where it ends. */
function changesSql(scan: UsageScan, lasting: string): string {
  const join = scan.spans === null ? '' : `${scan.keepsRest ? 'LEFT' : 'INNER'} JOIN spans ON lasting.subject = spans.span_subject`;
  const [lower, upper] = scan.spans === null ? [`toInt64(${scan.from})`, `toInt64(${scan.to})`] : [`if(span_to = 0, toInt64(${scan.from}), span_from)`, `if(span_to = 0, toInt64(${scan.to}), span_to)`];
  const within = `
    SELECT *, greatest(last_at, ${lower}) AS begins, least(next_at, ${upper}) AS ends, part_count > 0 AND first_at >= ${lower} AND first_at < ${upper} AS occurs,
      last_value != 0 AND begins < ends AS lasts
    FROM (${lasting}) AS lasting ${join}`;
  // An end lies in the window of the last instant before it, so that none is left with nothing in it.
  return `
    SELECT *, arrayJoin(arrayConcat(
      if(occurs, [tuple(first_at, part_count, ${nothing}, inner_area, toInt8(0))], []),
      if(lasts, [tuple(begins, toUInt64(0), last_value, -last_value * (begins - ${scan.from}), toInt8(1)), tuple(ends - 1, toUInt64(0), -last_value, last_value * (ends - ${scan.from}), toInt8(-1))], [])
    )) AS change
    FROM (${within})`;
}

function rawPoints(scan: UsageScan, placeholders: Placeholders): string {
  return `
    SELECT ${series}, at AS first_at, at AS last_at, appended_at, position, partition, assumeNotNull(value) AS last_value, ${nothing} AS inner_area, toUInt64(1) AS part_count
    FROM (${countedSql(scan, placeholders)})`;
}

/** Clean hours, which no boundary cuts: all that happened between an hour's first and last event lies in one window and one span. */
function rollupPoints(scan: UsageScan, placeholders: Placeholders): string {
  return `
    SELECT ${series}, toUnixTimestamp64Micro(tupleElement(gauge, 1)) AS first_at, toUnixTimestamp64Micro(tupleElement(gauge, 2)) AS last_at, toDateTime64(0, 6, 'UTC') AS appended_at,
      toUInt64(0) AS position, toUInt16(0) AS partition, tupleElement(gauge, 3) AS last_value, tupleElement(gauge, 4) AS inner_area, count AS part_count
    FROM (${rollupRows(scan, placeholders, { from: scan.from, to: scan.to, raw: scan.raw })})`;
}

/** The value that each series has when the range begins, if it is not 0, however long ago it was set. */
function carriedPoints(scan: UsageScan, placeholders: Placeholders): string {
  assert(scan.before !== null, 'Gauges bring a value along.');
  const rollups = scan.before.kind === 'all' ? null : `
    SELECT ${series}, max(tuple(toUnixTimestamp64Micro(tupleElement(gauge, 2)), toDateTime64(0, 6, 'UTC'), toUInt64(0), toUInt16(0), tupleElement(gauge, 3))) AS latest
    FROM (${rollupRows(scan, placeholders, { from: 0n, to: scan.from, raw: scan.before })}) GROUP BY ${series}`;
  const range = rawRangeBefore(scan.before, scan.from);
  const raw = range === null ? null : `
    SELECT ${series}, max(tuple(at, appended_at, position, partition, assumeNotNull(value))) AS latest
    FROM (${countedSql({ ...scan, ...range, raw: scan.before }, placeholders)}) GROUP BY ${series}`;
  return `
    SELECT ${series}, toInt64(${scan.from}) AS first_at, toInt64(${scan.from}) AS last_at, toDateTime64(0, 6, 'UTC') AS appended_at, toUInt64(0) AS position, toUInt16(0) AS partition,
      tupleElement(max(latest), 5) AS last_value, ${nothing} AS inner_area, toUInt64(0) AS part_count
    FROM (${[raw, rollups].filter((part) => part !== null).join(' UNION ALL ')}) GROUP BY ${series} HAVING last_value != 0`;
}

function rollupRows(scan: UsageScan, placeholders: Placeholders, of: { readonly from: bigint; readonly to: bigint; readonly raw: RawPart }): string {
  return `
    SELECT ${series}, gauge, count FROM usage_rollups FINAL
    WHERE organization_id = ${placeholders.text(scan.meter.organizationId)} AND meter_id = ${placeholders.text(scan.meter.id)} AND ${subjectCondition(scan, placeholders)} AND count > 0
      AND hour >= toDateTime(${of.from / 1_000_000n}, 'UTC') AND hour < toDateTime(${(of.to + 999_999n) / 1_000_000n}, 'UTC') AND NOT ${isRawHour(of.raw, 'toUnixTimestamp(hour)')}`;
}

/** From the first to the last hour before an instant that is read from raw events; null where there is none. */
function rawRangeBefore(raw: RawPart, before: bigint): { from: bigint; to: bigint } | null {
  if (raw.kind === 'all') return { from: 0n, to: before };
  const hours = [...raw.hours, ...raw.cells.map(({ hour }) => hour)].map((hour) => BigInt(hour) * 1_000_000n).filter((hour) => hour < before);
  if (hours.length === 0) return null;
  const [first, last] = [hours.reduce((a, b) => (a < b ? a : b)), hours.reduce((a, b) => (a > b ? a : b))];
  return { from: first, to: last + hourMicros < before ? last + hourMicros : before };
}
