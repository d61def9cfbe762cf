import { decimal, toPlain } from '../money/decimal.js';
import { formatMinor, fromMinor, roundToCurrency, toMinor, type Rounding } from '../money/minor-units.js';
import { fractionText, isWhole, scaleByFraction } from '../rating/scale-by-fraction.js';
import type { TraceStep } from '../rating/trace.js';
import type { CommitmentWindow } from './commitment-window.js';
import type { InvoiceLine } from './invoice-line.js';

/** The committed amount of a window, rounded once. */
export function committedMinorOf(window: Pick<CommitmentWindow, 'commitment' | 'fraction'>, money: { readonly currency: string; readonly rounding: Rounding }): bigint {
  const amount = scaleByFraction(decimal(window.commitment.amount), window.fraction);
  return toMinor(roundToCurrency(amount, money), money.currency);
}

export interface CommitmentBalance {
  readonly window: CommitmentWindow;
  readonly currency: string;
  readonly committedMinor: bigint;
  /** What documents have charged for its periods, this one included. */
  readonly countedMinor: bigint;
  /** What earlier documents asked for on top; null where none has closed the window. */
  readonly settledMinor: bigint | null;
}

/**
 * What lacks to the commitment, as a line: of kind `minimum` on the document that closes the window, later the difference to what was asked for
 * before, of kind `adjustment`. Null where nothing is to be asked or returned. Charges and true-ups of a window add up to the greater of charges and commitment.
 */
export function trueUpLine(balance: CommitmentBalance): InvoiceLine | null {
  const { window, committedMinor, countedMinor, settledMinor, currency } = balance;
  const lacksMinor = committedMinor > countedMinor ? committedMinor - countedMinor : 0n;
  const amountMinor = lacksMinor - (settledMinor ?? 0n);
  if (amountMinor === 0n) return null;
  const isFirst = settledMinor === null;
  return {
    ref: `${isFirst ? 'minimum' : 'adjustment'}:commitment:${window.first}`,
    kind: isFirst ? 'minimum' : 'adjustment',
    priceId: null,
    priceKey: null,
    description: isFirst ? 'Minimum commitment' : 'Minimum commitment after late charges',
    quantity: null,
    unroundedAmount: fromMinor(amountMinor, currency),
    amountMinor,
    period: window.period,
    groupValues: {},
    trace: traceOf(balance, { lacksMinor, amountMinor }),
  };
}

/** Whether a line is one of these, by what it is made from. */
export function isTrueUp({ ref }: Pick<InvoiceLine, 'ref'>): boolean {
  return /^(?:minimum|adjustment):commitment:/.test(ref);
}

function traceOf(balance: CommitmentBalance, result: { lacksMinor: bigint; amountMinor: bigint }): TraceStep[] {
  const { window, currency, committedMinor, countedMinor, settledMinor } = balance;
  const { lacksMinor, amountMinor } = result;
  const money = (minor: bigint): string => formatMinor(minor, currency);
  const stepOf = (step: string, of: { detail: string; values: Record<string, string>; amountMinor: bigint; addsMinor: bigint }): TraceStep => ({
    step, detail: of.detail, values: of.values, quantity: '0', amount: toPlain(fromMinor(of.amountMinor, currency)), adds: toPlain(fromMinor(of.addsMinor, currency)),
  });
  const per = window.commitment.per === 'year' ? 'year' : 'billing period';
  const part = isWhole(window.fraction) ? '' : `, for ${fractionText(window.fraction)} of it: ${money(committedMinor)}`;
  const values = { commitment: window.commitment.amount, per: window.commitment.per, ...(part === '' ? {} : { fraction: fractionText(window.fraction) }) };
  const missing = lacksMinor === 0n ? 'nothing is missing' : `${money(lacksMinor)} is missing`;
  const steps = [
    stepOf('minimum_commitment', { detail: `at least ${window.commitment.amount} a ${per}${part}`, values, amountMinor: committedMinor, addsMinor: committedMinor }),
    stepOf('charged', { detail: `${money(countedMinor)} was charged for it: ${missing}`, values: { charged: money(countedMinor) }, amountMinor: lacksMinor, addsMinor: lacksMinor - committedMinor }),
  ];
  if (settledMinor === null) return steps;
  const detail = `${money(settledMinor)} was asked for before: ${money(amountMinor)}`;
  return [...steps, stepOf('settled', { detail, values: { settled: money(settledMinor) }, amountMinor, addsMinor: -settledMinor })];
}
