import { periodContaining } from '../period/boundaries.js';
import { earlier, period, type Period } from '../period/period.js';
import { prorationFraction, WHOLE, type Fraction } from '../period/proration-fraction.js';
import { billingPeriodAt, type BillingPeriod, type BillingSchedule } from '../subscription/billing-schedule.js';
import { areSameCommitments, type MinimumCommitment } from '../subscription/minimum-commitment.js';
import type { Boundary } from './boundary.js';
import type { InvoiceLine } from './invoice-line.js';

/** A run of billing periods that a minimum commitment is held against as one. */
export interface CommitmentWindow {
  readonly commitment: MinimumCommitment;
  /** Periods by number. One that a change left nothing of belongs to the window of the next. */
  readonly first: number;
  readonly last: number;
  readonly period: Period;
  /** The share of the amount that is committed to: less than the whole where it begins late, or ends early. */
  readonly fraction: Fraction;
}

/** One under way: whether the next period belongs to it is not known yet. */
interface OpenWindow {
  readonly commitment: MinimumCommitment;
  readonly first: number;
  readonly last: number;
  readonly start: Temporal.Instant;
  readonly end: Temporal.Instant;
  /** What it is a fraction of. */
  readonly whole: Period;
  /** Where the commitment began to hold, from which its years count. */
  readonly heldFrom: Temporal.Instant;
}

/** Indices in a row without a period of their own, beside those that changes emptied: a day that a zone skipped. */
const emptyIndicesMax = 3;

/**
 * The windows that end with one of the periods up to `through`, in order. Per billing period a window goes from one regular boundary to
 * the next, so a change midway does not divide it; per year it has the periods that start in the year. Either ends where the subscription
 * does, or another commitment begins. `commitments` has one for each stage of the schedule.
 */
export function commitmentWindows(schedule: BillingSchedule, commitments: readonly (MinimumCommitment | null)[], through: number): CommitmentWindow[] {
  const { timeZone } = schedule.recurrence;
  const windows: CommitmentWindow[] = [];
  let open: OpenWindow | null = null;
  let previous = 0;
  const numberMax = through + schedule.changes.length + emptyIndicesMax;
  for (let number = 1; number <= numberMax && previous <= through; number += 1) {
    const next = billingPeriodAt(schedule, number);
    if (next === null) continue;
    const step: Step = { open, next, commitment: commitments[next.stage] ?? null, first: previous + 1, timeZone };
    const { goesOn, done } = stepped(step);
    if (done !== null) windows.push(done);
    open = goesOn;
    previous = number;
  }
  if (open !== null && previous <= through) windows.push(closed(open, { isCut: true, timeZone }));
  return windows;
}

interface Step {
  readonly open: OpenWindow | null;
  readonly next: BillingPeriod;
  readonly commitment: MinimumCommitment | null;
  /** The number after the period before. */
  readonly first: number;
  readonly timeZone: string;
}

/** The window that the next period belongs to, and the one that it ends. */
function stepped(step: Step): { goesOn: OpenWindow | null; done: CommitmentWindow | null } {
  const { open, next, commitment, timeZone } = step;
  const isSame = open !== null && areSameCommitments(open.commitment, commitment);
  if (isSame && continues(open, next)) return { goesOn: { ...open, last: next.number, end: next.period.end }, done: null };
  const done = open === null ? null : closed(open, { isCut: !isSame, timeZone });
  if (commitment === null) return { goesOn: null, done };
  return { goesOn: opened({ ...step, commitment, heldFrom: isSame ? open.heldFrom : next.period.start }), done };
}

function continues(open: OpenWindow, next: BillingPeriod): boolean {
  const { start } = next.period;
  return open.commitment.per === 'year' ? Temporal.Instant.compare(start, open.whole.end) < 0 : !start.equals(next.whole.start);
}

function opened(from: Pick<Step, 'next' | 'first' | 'timeZone'> & { readonly commitment: MinimumCommitment; readonly heldFrom: Temporal.Instant }): OpenWindow {
  const { next, commitment, first, heldFrom, timeZone } = from;
  const { start, end } = next.period;
  const whole = commitment.per === 'year' ? periodContaining({ anchor: heldFrom, timeZone, interval: 'P1Y' }, start).period : next.whole;
  return { commitment, first, last: next.number, start, end, whole, heldFrom };
}

function closed(open: OpenWindow, how: { isCut: boolean; timeZone: string }): CommitmentWindow {
  const { commitment, first, last, start, end, whole } = open;
  const isYear = commitment.per === 'year';
  // Periods need not divide a year: the first of one may begin after the year does, and its last end after the next has begun.
  const part = isYear ? period(whole.start, earlier(end, whole.end)) : period(start, end);
  const fraction = isYear && !how.isCut ? WHOLE : prorationFraction({ part, whole, unit: 'second', timeZone: how.timeZone });
  return { commitment, first, last, period: period(start, end), fraction };
}

/** Whether the document of a boundary is the one that closes the window: the first that bills nothing before its end. */
export function isClosedBy(window: CommitmentWindow, boundary: Boundary, schedule: BillingSchedule): boolean {
  let before = boundary.closes?.number ?? boundary.index - 1;
  while (before > 0 && billingPeriodAt(schedule, before) === null) before -= 1;
  return window.last === before;
}

/** The period to which a document's line counts; null where it counts to no commitment: what is owed once, what was carried over, and true-ups themselves. */
export function countedPeriodOf(line: Pick<InvoiceLine, 'kind' | 'ref'>, document: { readonly periodIndex: number; readonly closesIndex: number | null }): number | null {
  if (line.kind === 'advance') return document.periodIndex;
  if (line.kind === 'usage' || line.kind === 'arrears' || line.kind === 'proration') return document.closesIndex ?? document.periodIndex - 1;
  const [, number] = (line.kind === 'adjustment' ? /^adjustment:(\d+):/.exec(line.ref) : null) ?? [];
  return number === undefined ? null : Number(number);
}
