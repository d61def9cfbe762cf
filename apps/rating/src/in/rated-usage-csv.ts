import type { RatedUsageBody } from '#contracts';
import { csvText } from '#platform';

const columns = ['customer', 'customer_key', 'plan', 'plan_key', 'price', 'price_key', 'day', 'quantity', 'amount', 'currency', 'state', 'adjusts'] as const;

/** The report as RFC 4180 with a header; columns that it is not grouped by are left out. No key can start a formula: they begin with a letter or digit. */
export function ratedUsageCsv(report: Pick<RatedUsageBody, 'data'>, groupBy: readonly string[]): string {
  const shown = columns.filter((column) => !isGroupColumn(column) || groupBy.includes(column.replace('_key', '')));
  return csvText(shown.map((name) => ({ name, isText: false })), report.data.map((row) => shown.map((column) => cellOf(row, column))));
}

/** A period is an ISO 8601 interval. */
function cellOf(row: RatedUsageBody['data'][number], column: (typeof columns)[number]): string {
  if (column === 'adjusts') return row.adjusts === undefined ? '' : `${row.adjusts.start}/${row.adjusts.end}`;
  return row[column] ?? '';
}

function isGroupColumn(column: string): boolean {
  return ['customer', 'plan', 'price', 'day'].includes(column.replace('_key', ''));
}
