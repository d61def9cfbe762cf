import type { Rounding } from '../money/minor-units.js';
import type { BillingSchedule } from '../subscription/billing-schedule.js';
import type { MinimumCommitment } from '../subscription/minimum-commitment.js';
import { nextBoundary } from './boundary.js';
import { commitmentWindows, countedPeriodOf, isClosedBy, type CommitmentWindow } from './commitment-window.js';
import type { InvoiceLine } from './invoice-line.js';
import { committedMinorOf, trueUpLine } from './true-up-line.js';

/** What of a document its commitments look at. */
export interface CommittedDocument {
  readonly kind: 'period' | 'one_off';
  /** The boundary that made it. */
  readonly periodIndex: number;
  readonly closesIndex: number | null;
}

/** A window that a document has closed, and what was asked for on top so far. */
export interface SettledWindow {
  readonly last: number;
  /** Frozen with the first settlement; null where it is to be worked out again. */
  readonly committedMinor: bigint | null;
  readonly settledMinor: bigint;
}

/** What the documents of one subscription have charged under its commitments, and asked for on top. */
export interface CommitmentAccount {
  readonly schedule: BillingSchedule;
  /** One for each stage of the schedule. */
  readonly commitments: readonly (MinimumCommitment | null)[];
  readonly currency: string;
  readonly rounding: Rounding;
  /** By number of the billing period. */
  readonly charged: ReadonlyMap<number, bigint>;
  /** By the first period of the window. */
  readonly settled: ReadonlyMap<number, SettledWindow>;
}

/** A window that a document settles, with the line that asks for what lacks, or returns what does not any more. */
export interface TrueUp {
  readonly window: CommitmentWindow;
  readonly committedMinor: bigint;
  readonly chargedMinor: bigint;
  readonly isFirst: boolean;
  readonly line: InvoiceLine | null;
}

/** Adds what a document charges, and settles the window that it closes and those closed before that it charges more or less for. Gives the account after it. */
export function settleCommitments(account: CommitmentAccount, document: CommittedDocument, lines: readonly InvoiceLine[]): { readonly account: CommitmentAccount; readonly trueUps: readonly TrueUp[] } {
  const { schedule } = account;
  const charged = new Map(account.charged);
  const settled = new Map(account.settled);
  const touched = new Set<number>();
  for (const line of lines) {
    const number = countedPeriodOf(line, document);
    if (number === null) continue;
    touched.add(number);
    charged.set(number, (charged.get(number) ?? 0n) + line.amountMinor);
  }
  const after = { ...account, charged, settled };
  const boundary = document.kind === 'period' ? nextBoundary(schedule, document.periodIndex) : null;
  const through = Math.max(document.periodIndex, ...[...settled.values()].map(({ last }) => last));
  const trueUps = commitmentWindows(schedule, account.commitments, through).flatMap((window) => {
    const known = settled.get(window.first);
    const isFirst = known === undefined && boundary !== null && isClosedBy(window, boundary, schedule);
    const isChanged = known !== undefined && [...touched].some((number) => window.first <= number && number <= window.last);
    return isFirst || isChanged ? [settleWindow(after, window)] : [];
  });
  for (const { window, committedMinor, line } of trueUps) {
    settled.set(window.first, { last: window.last, committedMinor, settledMinor: (settled.get(window.first)?.settledMinor ?? 0n) + (line?.amountMinor ?? 0n) });
  }
  return { account: after, trueUps };
}

function settleWindow({ charged, settled, currency, rounding }: CommitmentAccount, window: CommitmentWindow): TrueUp {
  const known = settled.get(window.first);
  // What was committed to does not change once it was settled, whatever rounding the organization chooses later.
  const committedMinor = known?.committedMinor ?? committedMinorOf(window, { currency, rounding });
  let chargedMinor = 0n;
  for (let number = window.first; number <= window.last; number += 1) chargedMinor += charged.get(number) ?? 0n;
  const line = trueUpLine({ window, currency, committedMinor, countedMinor: chargedMinor, settledMinor: known?.settledMinor ?? null });
  return { window, committedMinor, chargedMinor, isFirst: known === undefined, line };
}
