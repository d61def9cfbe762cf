import { z } from 'zod';
import type { Decimal } from '../money/decimal.js';
import type { CatalogFault } from './catalog-fault.js';
import { decimalFaults, soundDecimal } from './decimal-faults.js';
import { referenceSchema } from './key.js';
import { decimalTextSchema } from './model.js';

const tiersMax = 20;

/** One bound of a service level agreement, on one side, and what is credited once it is crossed. */
const slaTierSchema = z.strictObject({ above: decimalTextSchema.optional(), below: decimalTextSchema.optional(), percent: decimalTextSchema });

/** A share of what a price asks that is given back where a meter of quality is beyond a bound over the billing period. */
export const slaCreditSchema = z.strictObject({
  /** Of latency, errors, uptime or whatever was agreed on; may be left out of a price that is only tried out. */
  meter: referenceSchema.optional(),
  /** The meter that the first is divided by: errors per requests. */
  per: referenceSchema.optional(),
  /** From the mildest bound to the worst; the worst that is crossed counts. */
  tiers: z.array(slaTierSchema).min(1).max(tiersMax),
});

export type SlaCredit = z.infer<typeof slaCreditSchema>;
export type SlaTier = z.infer<typeof slaTierSchema>;

/** The side of the bounds on which the agreement is broken: that of the first tier. */
export function brokenSideOf({ tiers: [first] }: SlaCredit): 'above' | 'below' {
  return first?.below === undefined ? 'above' : 'below';
}

/** What is wrong with a credit at its pointer. Whether its meters exist, the caller knows. */
export function slaCreditFaults(credit: SlaCredit | undefined, of: { readonly isUsage: boolean; readonly needsMeter: boolean; readonly pointer: string }): CatalogFault[] {
  if (credit === undefined) return [];
  const { pointer } = of;
  const faults: CatalogFault[] = [];
  if (!of.isUsage) faults.push({ pointer, code: 'not_allowed', detail: 'Only usage is paid once it is known how well it was served; remove sla_credit or set type to "usage".' });
  if (of.needsMeter && credit.meter === undefined) faults.push({ pointer: `${pointer}/meter`, code: 'missing_field', detail: 'Name the meter whose value is held against the bounds.' });
  const side = brokenSideOf(credit);
  return [...faults, ...credit.tiers.flatMap((tier, index) => tierFaults(tier, { side, before: credit.tiers[index - 1], pointer: `${pointer}/tiers/${index}` }))];
}

function tierFaults(tier: SlaTier, at: { side: 'above' | 'below'; before: SlaTier | undefined; pointer: string }): CatalogFault[] {
  const { side, before, pointer } = at;
  const other = side === 'above' ? 'below' : 'above';
  const faults = [
    ...decimalFaults({ text: tier.above, pointer: `${pointer}/above`, kind: 'quantity', mayBeNegative: true }),
    ...decimalFaults({ text: tier.below, pointer: `${pointer}/below`, kind: 'quantity', mayBeNegative: true }),
    ...decimalFaults({ text: tier.percent, pointer: `${pointer}/percent`, kind: 'amount' }),
  ];
  if (soundDecimal({ text: tier.percent, kind: 'amount' })?.gt(100) === true) {
    faults.push({ pointer: `${pointer}/percent`, code: 'number_out_of_range', detail: 'At most 100 percent can be credited; lower it.' });
  }
  if (tier.above === undefined && tier.below === undefined) return [...faults, { pointer: `${pointer}/${side}`, code: 'missing_field', detail: `Give the bound: ${side} which value this percent is credited.` }];
  if (tier[other] !== undefined) return [...faults, { pointer: `${pointer}/${other}`, code: 'not_allowed', detail: `All bounds of an agreement lie on one side, and its first is "${side}"; give "${side}" and nothing else.` }];
  return [...faults, ...orderFaults(tier, { side, before, pointer })];
}

function orderFaults(tier: SlaTier, { side, before, pointer }: { side: 'above' | 'below'; before: SlaTier | undefined; pointer: string }): CatalogFault[] {
  const [bound, milder] = [soundDecimal({ text: tier[side], kind: 'quantity' }), soundDecimal({ text: before?.[side], kind: 'quantity' })];
  if (bound === null || milder === null || isWorse(bound, milder, side)) return [];
  return [{ pointer: `${pointer}/${side}`, code: 'tiers_unsorted', detail: `Each bound must be worse than the one before it; move this tier, or set a bound ${side} the one before.` }];
}

/** Whether a value lies beyond a bound, on the side on which the agreement is broken; on the bound it is kept. */
export function isWorse(value: Decimal, bound: Decimal, side: 'above' | 'below'): boolean {
  return side === 'above' ? value.gt(bound) : value.lt(bound);
}
