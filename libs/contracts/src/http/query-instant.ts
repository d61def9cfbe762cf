import { z } from 'zod';

const sentence = 'Give an instant as RFC 3339 writes it, such as 2026-11-01T00:00:00Z, with at most nine digits after the second.';

const wholeInstant = new RegExp(z.core.regexes.datetime({ offset: true }).source, 'i');

/** An instant of a query, as text that `Temporal.Instant.from` takes: that is nine digits after the second at most. Letters in either case, as in events. */
export const queryInstantSchema = z
  .string({ error: (issue) => (issue.input === undefined ? undefined : sentence) })
  .regex(wholeInstant, sentence)
  .regex(/^[^.]*(?:\.\d{1,9}(?!\d).*)?$/, sentence)
  .meta({ format: 'date-time' });

/** The bounds of a query, where they were given. Events have microseconds, so a finer bound means the next one. */
export function queryRange(query: { readonly from?: string | undefined; readonly to?: string | undefined }): { from: Temporal.Instant | null; to: Temporal.Instant | null } {
  return { from: instantOf(query.from), to: instantOf(query.to) };
}

function instantOf(text: string | undefined): Temporal.Instant | null {
  return text === undefined ? null : Temporal.Instant.from(text).round({ smallestUnit: 'microsecond', roundingMode: 'ceil' });
}
