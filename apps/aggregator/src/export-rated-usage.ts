import { formatMinor } from '#domain';
import { ratedUsageGroups, readRatedUsage, type Database, type ExportRecord, type RatedUsageRow } from '#persistence';
import { assert } from '#platform';
import type { ExportColumn, ExportPage } from './export-content.js';

/** Rows that are held at once. A customer has far fewer in a day. */
const rowsPerPageMax = 20_000;

/** As the CSV of `GET /v1/rated-usage` grouped by all it can be, the adjusted period as two instants. */
export const ratedUsageColumns: readonly (ExportColumn & { readonly cell: (row: RatedUsageRow) => string | null })[] = [
  { name: 'customer', kind: 'code', cell: ({ customer }) => customer?.id ?? null },
  { name: 'customer_key', kind: 'text', cell: ({ customer }) => customer?.key ?? null },
  { name: 'plan', kind: 'code', cell: ({ plan }) => plan?.id ?? null },
  { name: 'plan_key', kind: 'text', cell: ({ plan }) => plan?.key ?? null },
  { name: 'price', kind: 'code', cell: ({ price }) => price?.id ?? null },
  { name: 'price_key', kind: 'text', cell: ({ price }) => price?.key ?? null },
  { name: 'day', kind: 'code', cell: ({ day = null }) => day },
  { name: 'quantity', kind: 'decimal', cell: ({ quantity }) => quantity },
  { name: 'amount', kind: 'decimal', cell: ({ amountMinor, currency }) => formatMinor(amountMinor, currency) },
  { name: 'currency', kind: 'code', cell: ({ currency }) => currency },
  { name: 'state', kind: 'code', cell: ({ state }) => state },
  { name: 'adjusts_start', kind: 'instant', cell: ({ adjusts }) => adjusts?.start.toString() ?? null },
  { name: 'adjusts_end', kind: 'instant', cell: ({ adjusts }) => adjusts?.end.toString() ?? null },
];

/** Rated days as they are stored, one day of UTC after the other, and within it customer by customer. */
export async function* ratedUsagePages(database: Database, { organizationId, question }: ExportRecord, pageMax = rowsPerPageMax): AsyncGenerator<ExportPage> {
  const end = Temporal.Instant.from(question.to);
  for (let from = Temporal.Instant.from(question.from); Temporal.Instant.compare(from, end) < 0; ) {
    const midnight = from.toZonedDateTimeISO('UTC').startOfDay().add({ days: 1 }).toInstant();
    const to = Temporal.Instant.compare(midnight, end) < 0 ? midnight : end;
    const day = { from, to, groupBy: ratedUsageGroups, rowsMax: pageMax, ...(question.customerId === undefined ? {} : { customer: question.customerId }) };
    let after: string | undefined;
    do {
      const place = after;
      const rows = await database.inOrganization(organizationId, (manager) => readRatedUsage(manager, { ...day, ...(place === undefined ? {} : { afterCustomer: place }) }));
      const isCut = rows.length > pageMax;
      // Whose rows may go on behind the cut comes again, whole, in the next page.
      const cutOff = rows.at(-1)?.customer?.id;
      const whole = isCut ? rows.filter(({ customer }) => customer?.id !== cutOff) : rows;
      assert(!isCut || whole.length > 0, 'A page must hold the rows that one customer has in a day.');
      yield whole.map((row) => ratedUsageColumns.map(({ cell }) => cell(row)));
      after = isCut ? whole.at(-1)?.customer?.id : undefined;
    } while (after !== undefined);
    from = to;
  }
}
