import { canonicalDecimal, compareBytewise, decimal, Decimal, divide, interpolate, isZeroOfNothing, toPlain, windowEnd, windowStarts, type Meter } from '#domain';
import { assert } from '#platform';
import { instantOfMicros } from './sql-builder.js';
import type { UsageQuery, UsageRow } from './usage-query.js';
import type { ScanRow } from './usage-scan.js';

const averageDigits = 12;

/** A row's value as it is answered: avg to 12 digits after the point, half away from zero, all else exact; everything in shortest form. */
export function answeredValue(row: Pick<ScanRow, 'events_text' | 'value'>, { aggregation, percentile }: Meter): string {
  if (aggregation === 'percentile') {
    assert(percentile !== null, 'A meter of percentile has one.');
    const [lower = '', upper = ''] = row.value.split(' ');
    return toPlain(interpolate({ lower: decimal(lower), upper: decimal(upper) }, { count: BigInt(row.events_text), percentile }));
  }
  const value = canonicalDecimal(row.value);
  assert(value !== null, 'ClickHouse writes decimals in plain notation.');
  if (aggregation !== 'avg') return value;
  return toPlain(divide(decimal(value), decimal(row.events_text)).toDecimalPlaces(averageDigits, Decimal.ROUND_HALF_UP));
}

/** The rows of an answer. `customers` has the customer of each ref, null for ref 0. */
export function toUsageRows(query: UsageQuery, scanned: readonly ScanRow[], customers: readonly (string | null)[]): UsageRow[] {
  return scanned.map((row) => {
    const windowStart = instantOfMicros(BigInt(row.window_key));
    const place = Number(row.place);
    const isRest = query.groupsMax !== null && place > query.groupsMax;
    return {
      windowStart,
      windowEnd: windowEnd(query.windows, windowStart, query),
      ...keysOf(query, isRest ? null : { customerId: customers[row.ref] ?? null, subject: row.subject }),
      group: isRest ? {} : Object.fromEntries(query.groupBy.map((name, index) => [name, row.groups[index] ?? ''])),
      value: answeredValue(row, query.meter),
      place: place === 0 ? null : place,
      isRest,
    };
  });
}

/** Customer and subject stand in a row where it is of one: the only one that was asked for, or its group's. */
function keysOf(query: UsageQuery, row: { customerId: string | null; subject: string } | null): Pick<UsageRow, 'customerId' | 'subject'> {
  const customerId = onlyOne(query.customerIds);
  const subject = onlyOne(query.subjects);
  return {
    ...(customerId !== null ? { customerId } : query.groupsByCustomer && row !== null ? { customerId: row.customerId } : {}),
    ...(subject !== null ? { subject } : query.groupsBySubject && row !== null ? { subject: row.subject } : {}),
  };
}

function onlyOne(items: readonly string[] | null): string | null {
  return items?.length === 1 ? (items[0] ?? null) : null;
}

/** The rows with those of zero for each window in which a group that occurs has none; null where they would be too many. */
export function filledRows(query: UsageQuery, rows: readonly UsageRow[]): readonly UsageRow[] | null {
  if (!query.fillsZero || !isZeroOfNothing(query.meter.aggregation)) return rows;
  const isGrouped = query.groupBy.length > 0 || (query.groupsByCustomer && onlyOne(query.customerIds) === null) || (query.groupsBySubject && onlyOne(query.subjects) === null);
  const zero = { ...keysOf(query, null), group: {}, place: null, isRest: false };
  const lines = new Map<string, UsageRow[]>(isGrouped ? [] : [[lineOf(zero), []]]);
  for (const row of rows) lines.set(lineOf(row), [...(lines.get(lineOf(row)) ?? []), row]);
  const starts = windowStarts(query.windows, query, query.rowsMax);
  if (starts === null || starts.length * lines.size > query.rowsMax) return null;
  return [...lines.values()].flatMap((line) => {
    const sample = line[0] ?? zero;
    const byStart = new Map(line.map((row) => [row.windowStart.epochNanoseconds, row]));
    return starts.map((start) => byStart.get(start.epochNanoseconds) ?? { ...sample, windowStart: start, windowEnd: windowEnd(query.windows, start, query), value: '0' });
  });
}

function lineOf(row: Pick<UsageRow, 'customerId' | 'subject' | 'group' | 'isRest'>): string {
  return JSON.stringify([row.customerId ?? null, row.subject ?? null, row.group, row.isRest]);
}

/** By window, then by place, or else by customer, subject and group, texts bytewise. */
export function sortedRows(query: UsageQuery, rows: readonly UsageRow[]): UsageRow[] {
  return [...rows].sort(
    (a, b) =>
      Temporal.Instant.compare(a.windowStart, b.windowStart) ||
      (a.place ?? 0) - (b.place ?? 0) ||
      compareBytewise(a.customerId ?? '', b.customerId ?? '') ||
      compareBytewise(a.subject ?? '', b.subject ?? '') ||
      query.groupBy.map((name) => compareBytewise(a.group[name] ?? '', b.group[name] ?? '')).find((order) => order !== 0) ||
      0,
  );
}
