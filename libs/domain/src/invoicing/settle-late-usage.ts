import type { LateUsage } from '../catalog/late-usage.js';
import { allocate } from '../money/allocate.js';
import { decimal, decimalOf, sumOf, toPlain, type Decimal } from '../money/decimal.js';
import { formatMinor, fromMinor } from '../money/minor-units.js';
import type { Period } from '../period/period.js';
import type { TraceStep } from '../rating/trace.js';
import type { InvoiceLine, LineUsageProof } from './invoice-line.js';

/** What one price (or one group of it) comes to with all usage of a closed period, and what became of it so far. */
export interface LateUsageLine {
  readonly priceId: string;
  readonly priceKey: string;
  readonly ref: string;
  readonly description: string;
  readonly groupValues: Readonly<Record<string, string>>;
  readonly quantity: Decimal;
  readonly unroundedAmount: Decimal;
  readonly amountMinor: bigint;
  readonly trace: readonly TraceStep[];
  /** Of all its events. */
  readonly usage?: LineUsageProof | undefined;
  readonly settled: {
    readonly quantity: Decimal;
    readonly unroundedAmount: Decimal;
    /** On documents, the period's own invoice among them. */
    readonly billedMinor: bigint;
    readonly absorbedMinor: bigint;
  };
}

/** What is to be done with a line now: differences to what was settled before. */
export interface SettledLateLine {
  readonly line: LateUsageLine;
  readonly quantity: Decimal;
  readonly unroundedAmount: Decimal;
  /** Of the document that settles it; negative is returned. */
  readonly billedMinor: bigint;
  /** Dropped; negative where usage that was dropped has gone again. */
  readonly absorbedMinor: bigint;
}

/**
 * Settles the late usage of one period: afterwards what is on documents and what was absorbed add up to what all of its usage
 * comes to. What the customer would owe more may be absorbed, by price; what is owed to the customer first takes back what was absorbed,
 * which nobody paid, and the rest is returned. Lines that did not change are left out.
 */
export function settleLateUsage(lines: readonly LateUsageLine[], terms: { readonly lateUsage: LateUsage; readonly currency: string }): SettledLateLine[] {
  return [...Map.groupBy(lines, ({ priceId }) => priceId).values()].flatMap((ofPrice) => settlePrice(ofPrice.filter(isChanged), { ...terms, absorbedMinor: absorbedOf(ofPrice) }));
}

function settlePrice(changed: readonly LateUsageLine[], terms: { lateUsage: LateUsage; currency: string; absorbedMinor: bigint }): SettledLateLine[] {
  if (changed.length === 0) return [];
  const owedMinor = changed.reduce((sum, line) => sum + owedOf(line), 0n);
  const billed = billedShares(changed, { ...terms, owedMinor });
  return changed.map((line, index) => {
    const billedMinor = billed[index] ?? 0n;
    return {
      line,
      quantity: line.quantity.minus(line.settled.quantity),
      unroundedAmount: line.unroundedAmount.minus(line.settled.unroundedAmount),
      billedMinor,
      absorbedMinor: owedOf(line) - billedMinor,
    };
  });
}

function billedShares(changed: readonly LateUsageLine[], terms: { lateUsage: LateUsage; currency: string; absorbedMinor: bigint; owedMinor: bigint }): readonly bigint[] {
  const { owedMinor, absorbedMinor } = terms;
  const whole = changed.map(owedOf);
  if (owedMinor > 0n) return isAbsorbed(terms) ? changed.map(() => 0n) : whole;
  if (owedMinor === 0n || absorbedMinor <= 0n) return whole;
  const returnedMinor = -owedMinor > absorbedMinor ? owedMinor + absorbedMinor : 0n;
  return returnedMinor === 0n ? changed.map(() => 0n) : allocate(returnedMinor, changed.map((line) => decimalOf(owedOf(line)).abs()));
}

/** Without a bound `absorb` drops every positive amount; a bound drops those below it, whatever the policy. */
function isAbsorbed(terms: { lateUsage: LateUsage; currency: string; owedMinor: bigint }): boolean {
  const { policy, absorb_below: bound } = terms.lateUsage;
  return bound === undefined ? policy === 'absorb' : fromMinor(terms.owedMinor, terms.currency).lt(decimal(bound));
}

function absorbedOf(lines: readonly LateUsageLine[]): bigint {
  return lines.reduce((sum, { settled }) => sum + settled.absorbedMinor, 0n);
}

function owedOf({ amountMinor, settled }: LateUsageLine): bigint {
  return amountMinor - settled.billedMinor - settled.absorbedMinor;
}

function isChanged(line: LateUsageLine): boolean {
  return owedOf(line) !== 0n || !line.quantity.eq(line.settled.quantity);
}

/** The line of a document that settles it; none where nothing of it is billed and something was absorbed. */
export function adjustmentLine(settled: SettledLateLine, of: { readonly period: Period; readonly periodIndex: number; readonly currency: string }): InvoiceLine | null {
  const { line, billedMinor, absorbedMinor, quantity } = settled;
  if (billedMinor === 0n && absorbedMinor !== 0n) return null;
  const unroundedAmount = absorbedMinor === 0n ? settled.unroundedAmount : fromMinor(billedMinor, of.currency);
  return {
    ref: `adjustment:${of.periodIndex}:${line.priceId}:${line.ref}`,
    kind: 'adjustment',
    priceId: line.priceId,
    priceKey: line.priceKey,
    description: `Late usage: ${line.description}`,
    quantity,
    unroundedAmount: absorbedMinor === 0n ? unroundedAmount : null,
    amountMinor: billedMinor,
    period: of.period,
    groupValues: line.groupValues,
    trace: [...line.trace, lateStep(settled, { ...of, unroundedAmount })],
    usage: line.usage,
  };
}

/** The last step of an adjustment takes off what was settled before, and what is absorbed. */
function lateStep(settled: SettledLateLine, of: { readonly currency: string; readonly unroundedAmount: Decimal }): TraceStep {
  const { line, billedMinor, absorbedMinor, quantity } = settled;
  const money = (minor: bigint): string => formatMinor(minor, of.currency);
  const values = {
    rated: money(line.amountMinor),
    settled: money(line.settled.billedMinor + line.settled.absorbedMinor),
    ...(absorbedMinor === 0n ? {} : { absorbed: money(-absorbedMinor) }),
    adjustment: money(billedMinor),
  };
  const absorbed = values.absorbed === undefined ? '' : `; ${values.absorbed} of that was absorbed and never paid`;
  const detail = `${values.rated} for all usage of the period; ${values.settled} settled before${absorbed}: ${values.adjustment}`;
  const steps = sumOf(line.trace, ({ adds }) => decimal(adds));
  return { step: 'late_usage', detail, values, quantity: toPlain(quantity), amount: toPlain(of.unroundedAmount), adds: toPlain(of.unroundedAmount.minus(steps)) };
}
