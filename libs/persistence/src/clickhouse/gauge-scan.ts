import { meterDimensions } from '#domain';
import { assert } from '#platform';
import type { Placeholders } from './sql-builder.js';
import { countedPart, dimensionText, rollupCondition, scanKeys, type ScanPart, type UsageScan, windowOfSql } from './usage-scan.js';

/** `group_values` has a text for each dimension that any version of the meter has, so that a value lasts from version to version. */
const series = 'bucket, subject, group_values';
const nothing = 'toDecimal256(0, 18)';
const hourMicros = 3_600_000_000n;

/**
 * What gauges do in each window of each line, as parts that add up. A series is a subject and a value of every dimension. Its events, the hours
 * that rollups have of it, and the value that it brings along from before the range stand one after the other; each value lasts until
 * the next of them begins, and what of that lies within a span begins and ends in the windows of its ends.
 */
export function gaugePart(scan: UsageScan, placeholders: Placeholders): string {
  const points = scan.parts.flatMap((part) => [rawPoints(scan, part, placeholders), ...(part.raw.kind === 'all' ? [] : [rollupPoints(scan, part, placeholders)])]);
  const names = meterDimensions(scan.meter);
  const filters = scan.filters.map(({ dimension, texts }) => `${dimensionText(dimension, names)} IN ${placeholders.texts(texts)}`);
  const lasting = `
    SELECT *, leadInFrame(first_at, 1, toInt64(${scan.to})) OVER (PARTITION BY ${series} ORDER BY first_at, part_count > 0, appended_at, position, partition
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS next_at
    FROM (${[...points, ...carriedPoints(scan, placeholders)].join(' UNION ALL ')}) WHERE ${filters.length === 0 ? '1' : filters.join(' AND ')}`;
  return `
    SELECT ${scan.spans === null ? 'toUInt32(0)' : 'span_ref'} AS key_ref, toInt64(${windowOfSql(scan)}) AS key_window, ${scan.groupsBySubject ? 'subject' : `''`} AS key_subject,
      [${scan.dimensions.map((dimension) => dimensionText(dimension, names)).join(', ')}]::Array(String) AS key_groups,
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

function rawPoints(scan: UsageScan, part: ScanPart, placeholders: Placeholders): string {
  return `
    SELECT ${seriesOf(scan, part)}, at AS first_at, at AS last_at, appended_at, position, partition, assumeNotNull(value) AS last_value, ${nothing} AS inner_area, toUInt64(1) AS part_count
    FROM (${countedPart(scan, { part, placeholders })})`;
}

/** Clean hours, which no boundary cuts: all that happened between an hour's first and last event lies in one window and one span. */
function rollupPoints(scan: UsageScan, part: ScanPart, placeholders: Placeholders): string {
  return `
    SELECT ${seriesOf(scan, part)}, toUnixTimestamp64Micro(tupleElement(gauge, 1)) AS first_at, toUnixTimestamp64Micro(tupleElement(gauge, 2)) AS last_at, toDateTime64(0, 6, 'UTC') AS appended_at,
      toUInt64(0) AS position, toUInt16(0) AS partition, tupleElement(gauge, 3) AS last_value, tupleElement(gauge, 4) AS inner_area, count AS part_count
    FROM (${rollupRows(scan, part, placeholders)})`;
}

/** The value that each series has when the range begins, if it is not 0, however long ago it was set; nothing where there is no time before. */
function carriedPoints(scan: UsageScan, placeholders: Placeholders): string[] {
  assert(scan.before !== null, 'Gauges bring a value along.');
  const latest = scan.before.flatMap((part) => {
    const rollups = `
    SELECT ${seriesOf(scan, part)}, max(tuple(toUnixTimestamp64Micro(tupleElement(gauge, 2)), toDateTime64(0, 6, 'UTC'), toUInt64(0), toUInt16(0), tupleElement(gauge, 3))) AS latest
    FROM (${rollupRows(scan, part, placeholders)}) GROUP BY ${series}`;
    const range = rawRangeOf(part);
    const raw = range === null ? null : `
    SELECT ${seriesOf(scan, part)}, max(tuple(at, appended_at, position, partition, assumeNotNull(value))) AS latest
    FROM (${countedPart(scan, { part: { ...part, ...range }, placeholders })}) GROUP BY ${series}`;
    return [...(raw === null ? [] : [raw]), ...(part.raw.kind === 'all' ? [] : [rollups])];
  });
  if (latest.length === 0) return [];
  return [`
    SELECT ${series}, toInt64(${scan.from}) AS first_at, toInt64(${scan.from}) AS last_at, toDateTime64(0, 6, 'UTC') AS appended_at, toUInt64(0) AS position, toUInt16(0) AS partition,
      tupleElement(max(latest), 5) AS last_value, ${nothing} AS inner_area, toUInt64(0) AS part_count
    FROM (${latest.join(' UNION ALL ')}) GROUP BY ${series} HAVING last_value != 0`];
}

function rollupRows(scan: UsageScan, part: ScanPart, placeholders: Placeholders): string {
  return `
    SELECT ${series}, gauge, count FROM usage_rollups FINAL PREWHERE ${rollupCondition(scan, part, placeholders)} WHERE count > 0`;
}

/** Columns of a series in the terms of all versions. */
function seriesOf(scan: UsageScan, part: ScanPart): string {
  const names = meterDimensions(scan.meter);
  const own = Object.keys(part.meter.groupBy);
  return own.length === names.length ? series : `bucket, subject, [${names.map((name) => dimensionText(name, own)).join(', ')}]::Array(String) AS group_values`;
}

/** From the first to the last hour of a part that is read from raw events; null where there is none. */
function rawRangeOf({ raw, from, to }: ScanPart): { from: bigint; to: bigint } | null {
  if (raw.kind === 'all') return { from, to };
  const hours = [...raw.hours, ...raw.cells.map(({ hour }) => hour)].map((hour) => BigInt(hour) * 1_000_000n).filter((hour) => hour < to && hour + hourMicros > from);
  if (hours.length === 0) return null;
  const [first, last] = [hours.reduce((a, b) => (a < b ? a : b)), hours.reduce((a, b) => (a > b ? a : b))];
  return { from: first > from ? first : from, to: last + hourMicros < to ? last + hourMicros : to };
}
