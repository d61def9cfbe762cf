import { parseFilter, type Expression } from '#domain';
import { assert } from '#platform';
import type { Attachment } from '../postgres/billing-api/customer-tables.js';
import { microsOf } from './sql-builder.js';
import { spanOf, type SpanRange } from './subject-spans.js';
import type { UsageSlice } from './usage-query.js';
import type { UsageSpan } from './usage-scan.js';

const slicesMax = 1_000;

/** The spans of all slices' subjects until an instant, if there is one; each one's ref is its slice's place. At most 1,000 slices. */
export function sliceSpans(query: { readonly slices: readonly UsageSlice[]; readonly until?: bigint | null }, attachments: readonly Attachment[]): UsageSpan[] {
  assert(query.slices.length <= slicesMax, `At most ${slicesMax} slices are read at once.`);
  const ofCustomer = Map.groupBy(attachments, ({ customerId }) => customerId);
  return query.slices.flatMap((slice, ref) => {
    const ends = slice.ends.map(microsOf).sort((a, b) => (a < b ? -1 : 1));
    const last = ends.at(-1);
    if (last === undefined) return [];
    const range = { from: microsOf(slice.from), to: typeof query.until === 'bigint' && query.until < last ? query.until : last, ref, ends };
    return (ofCustomer.get(slice.customerId) ?? []).flatMap((attachment) => spanOf(attachment, range) ?? []);
  });
}

/** The events that a price leaves out. */
export function exemptionOf(query: { readonly exempt?: string | null }): Expression | null {
  if (query.exempt === undefined || query.exempt === null) return null;
  const filter = parseFilter(query.exempt);
  assert(filter.ok, 'A stored price has a filter that was checked when it was made.');
  return filter.expression;
}

/** From the earliest beginning to the latest end of at least one span. */
export function spansRange(spans: readonly UsageSpan[]): SpanRange {
  return { from: spans.map(({ from }) => from).reduce((a, b) => (a < b ? a : b)), to: spans.map(({ to }) => to).reduce((a, b) => (a > b ? a : b)) };
}
