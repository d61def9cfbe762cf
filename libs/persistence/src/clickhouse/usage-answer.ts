import { canonicalDecimal, compareBytewise, decimal, Decimal, divide, toPlain, windowEnd, windowStarts, type Aggregation } from '#domain';
import { assert } from '#platform';
import { instantOfMicros } from './sql-builder.js';
import type { UsageQuery, UsageRow } from './usage-query.js';
import type { ScanRow } from './usage-scan.js';

const averageDigits = 12;

/** A row's value as it is answered: avg to 12 digits after the point, half away from zero; everything in shortest form. */
export function answeredValue(row: Pick<ScanRow, 'events_text' | 'value'>, aggregation: Aggregation): string {
  const value = canonicalDecimal(row.value);
  assert(value !== null, 'ClickHouse writes decimals in plain notation.');
  if (aggregation !== 'avg') return value;
  return toPlain(divide(decimal(value), decimal(row.events_text)).toDecimalPlaces(averageDigits, Decimal.ROUND_HALF_UP));
}

/** The rows of an answer. `customers` has the customer of each ref, null for ref 0. */
export function toUsageRows(query: UsageQuery, scanned: readonly ScanRow[], customers: readonly (string | null)[]): UsageRow[] {
  return scanned.map((row) => {
    const windowStart = instantOfMicros(BigInt(row.window_key));
    return {
      windowStart,
      windowEnd: windowEnd(query.windows, windowStart, query),
      ...keysOf(query, { customerId: customers[row.ref] ?? null, subject: row.subject }),
      group: Object.fromEntries(query.groupBy.map((name, index) => [name, row.groups[index] ?? ''])),
      value: answeredValue(row, query.meter.aggregation),
    };
  });
}

/** Customer and subject stand in a row only where they were asked for. */
function keysOf(query: UsageQuery, row: { customerId: string | null; subject: string }): Pick<UsageRow, 'customerId' | 'subject'> {
  return {
    ...(query.customerId !== null ? { customerId: query.customerId } : query.groupsByCustomer ? { customerId: row.customerId } : {}),
    ...(query.subject !== null ? { subject: query.subject } : query.groupsBySubject ? { subject: row.subject } : {}),
  };
}

const zeroable: ReadonlySet<Aggregation> = new Set(['count', 'sum', 'unique_count']);

/** The rows with those of zero for each window in which a group that occurs has none; null where they would be too many. */
export function filledRows(query: UsageQuery, rows: readonly UsageRow[]): readonly UsageRow[] | null {
  if (!query.fillsZero || !zeroable.has(query.meter.aggregation)) return rows;
  const isGrouped = query.groupBy.length > 0 || (query.groupsByCustomer && query.customerId === null) || (query.groupsBySubject && query.subject === null);
  const lines = new Map<string, UsageRow[]>(isGrouped ? [] : [[lineOf({ ...keysOf(query, { customerId: null, subject: '' }), group: {} }), []]]);
  for (const row of rows) lines.set(lineOf(row), [...(lines.get(lineOf(row)) ?? []), row]);
  const starts = windowStarts(query.windows, query, query.rowsMax);
  if (starts === null || starts.length * lines.size > query.rowsMax) return null;
  const zero = keysOf(query, { customerId: null, subject: '' });
  return [...lines.values()].flatMap((line) => {
    const sample = line[0] ?? { ...zero, group: {} };
    const byStart = new Map(line.map((row) => [row.windowStart.epochNanoseconds, row]));
    return starts.map((start) => byStart.get(start.epochNanoseconds) ?? { ...sample, windowStart: start, windowEnd: windowEnd(query.windows, start, query), value: '0' });
  });
}

function lineOf(row: Pick<UsageRow, 'customerId' | 'subject' | 'group'>): string {
  return JSON.stringify([row.customerId ?? null, row.subject ?? null, row.group]);
}

/** By window, then customer, subject and group, texts bytewise. */
export function sortedRows(query: UsageQuery, rows: readonly UsageRow[]): UsageRow[] {
  return [...rows].sort(
    (a, b) =>
      Temporal.Instant.compare(a.windowStart, b.windowStart) ||
      compareBytewise(a.customerId ?? '', b.customerId ?? '') ||
      compareBytewise(a.subject ?? '', b.subject ?? '') ||
      query.groupBy.map((name) => compareBytewise(a.group[name] ?? '', b.group[name] ?? '')).find((order) => order !== 0) ||
      0,
  );
}
