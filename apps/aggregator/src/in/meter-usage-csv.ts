import { csvText } from '#platform';
import { usageColumns } from '../meter-usage-columns.js';
import type { MeterUsage } from '../read-meter-usage.js';

/** The answer as a table. */
export function meterUsageCsv({ rows, shown }: Pick<MeterUsage, 'rows' | 'shown'>): string {
  const columns = usageColumns(shown);
  return csvText(columns.map(({ name, kind }) => ({ name, isText: kind === 'text' })), rows.map((row) => columns.map(({ cell }) => cell(row))));
}
