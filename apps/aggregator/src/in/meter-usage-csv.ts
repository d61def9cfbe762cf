import type { UsageRow } from '#persistence';
import { csvText, type CsvCell } from '#platform';
import type { MeterUsage } from '../read-meter-usage.js';

/** The answer as a table: a column for each that it is grouped or filtered by, dimensions under `group.<name>`. */
export function meterUsageCsv({ rows, shown }: Pick<MeterUsage, 'rows' | 'shown'>): string {
  const columns: { name: string; isText: boolean; cell: (row: UsageRow) => CsvCell }[] = [
    { name: 'window_start', isText: false, cell: ({ windowStart }) => windowStart.toString() },
    { name: 'window_end', isText: false, cell: ({ windowEnd }) => windowEnd.toString() },
    ...(shown.hasCustomer ? [{ name: 'customer', isText: true, cell: ({ customerId }: UsageRow) => customerId }] : []),
    ...(shown.hasSubject ? [{ name: 'subject', isText: true, cell: ({ subject }: UsageRow) => subject }] : []),
    ...shown.dimensions.map((name) => ({ name: `group.${name}`, isText: true, cell: ({ group }: UsageRow) => group[name] })),
    ...(shown.hasRest ? [{ name: 'other', isText: false, cell: ({ isRest }: UsageRow) => isRest }] : []),
    { name: 'value', isText: false, cell: ({ value }) => value },
  ];
  return csvText(columns, rows.map((row) => columns.map(({ cell }) => cell(row))));
}
