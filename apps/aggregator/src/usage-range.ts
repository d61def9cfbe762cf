import type { InputFault } from '#platform';

export interface UsageRange {
  readonly from: Temporal.Instant;
  readonly to: Temporal.Instant;
}

/** No event lies outside; windows further out would only be enumerated. */
const earliest = Temporal.Instant.from('1970-01-01T00:00:00Z');
const latest = Temporal.Instant.from('2100-01-01T00:00:00Z');

/**
 * The range of a query and what is wrong with it. Events have microseconds, so a finer bound means the next one: an
 * event at it or after it is in or out alike.
 */
export function usageRange(query: { readonly from: string; readonly to: string }): { range: UsageRange; faults: InputFault[] } {
  const faults: InputFault[] = [];
  const range = { from: instantOf(query.from, { pointer: '/from', faults }), to: instantOf(query.to, { pointer: '/to', faults }) };
  if (faults.length === 0 && Temporal.Instant.compare(range.from, range.to) >= 0) faults.push({ pointer: '/to', code: 'invalid_range', detail: '"to" must be after "from".' });
  return { range, faults };
}

function instantOf(text: string, into: { pointer: string; faults: InputFault[] }): Temporal.Instant {
  const instant = Temporal.Instant.from(text).round({ smallestUnit: 'microsecond', roundingMode: 'ceil' });
  if (Temporal.Instant.compare(instant, earliest) < 0 || Temporal.Instant.compare(instant, latest) > 0) {
    into.faults.push({ pointer: into.pointer, code: 'invalid_range', detail: 'Usage is told from 1970 until 2100.' });
  }
  return instant;
}
