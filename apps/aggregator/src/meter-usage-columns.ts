import type { UsageRow } from '#persistence';
import type { ShownKeys } from './read-meter-usage.js';

export interface UsageColumn {
  readonly name: string;
  readonly kind: 'text' | 'instant' | 'decimal';
  readonly cell: (row: UsageRow) => string | null | undefined;
}

/** Usage as a table: a column for each that it is grouped or filtered by, dimensions under `group.<name>`. */
export function usageColumns(shown: ShownKeys): UsageColumn[] {
  return [
    { name: 'window_start', kind: 'instant', cell: ({ windowStart }) => windowStart.toString() },
    { name: 'window_end', kind: 'instant', cell: ({ windowEnd }) => windowEnd.toString() },
    ...(shown.hasCustomer ? [{ name: 'customer', kind: 'text', cell: ({ customerId }) => customerId } satisfies UsageColumn] : []),
    ...(shown.hasSubject ? [{ name: 'subject', kind: 'text', cell: ({ subject }) => subject } satisfies UsageColumn] : []),
    ...shown.dimensions.map((name): UsageColumn => ({ name: `group.${name}`, kind: 'text', cell: ({ group }) => group[name] })),
    ...(shown.hasRest ? [{ name: 'other', kind: 'decimal', cell: ({ isRest }) => String(isRest) } satisfies UsageColumn] : []),
    { name: 'value', kind: 'decimal', cell: ({ value }) => value },
  ];
}
