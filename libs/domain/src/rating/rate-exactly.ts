import { prorateUnit, type RateablePrice } from '../catalog/price.js';
import { type Decimal, sumOf, toPlain, ZERO } from '../money/decimal.js';
import { type Fraction, WHOLE } from '../period/proration-fraction.js';
import { limitToMaximum, raiseToMinimum } from './bound-amount.js';
import { clampNegative } from './clamp-negative.js';
import { convertUnits } from './convert-units.js';
import { type GroupUsage, type PooledGroup, poolUsage } from './pool-usage.js';
import { optionalDecimal } from './price-decimal.js';
import { prorateAmount } from './prorate-amount.js';
import { rateModel } from './rate-model.js';
import type { Share } from './share.js';
import { subtractIncluded } from './subtract-included.js';
import { noNote, type Note, noteFor, traceStep } from './trace.js';

export interface ExactRating {
  /** As metered: the sum of all groups, before any clamp or conversion. */
  readonly quantity: Decimal;
  /** Major units, after every step but the rounding. */
  readonly amount: Decimal;
  readonly groups: readonly ExactGroup[];
}

export interface ExactGroup extends PooledGroup {
  /** What the model asks for the group, before bounds and proration. */
  readonly modelAmount: Decimal;
}

export interface ExactRatingInput {
  readonly price: RateablePrice;
  readonly usage: readonly GroupUsage[];
  /** The share of a whole period that this one is; kept from a price that is not prorated. */
  readonly fraction?: Fraction | undefined;
  readonly note: Note;
}

const tracedGroupsMax = 50;

/**
 * Every step of a price but the rounding, in their one order: for each group quantity, unit conversion, included units, model;
 * on the sum maximum, minimum, and for fees the proration of the result.
 */
export function rateExactly(input: ExactRatingInput): ExactRating {
  const { price, note } = input;
  const fraction = prorateUnit(price) === 'none' ? WHOLE : (input.fraction ?? WHOLE);
  // A partial period scales what a usage price grants and bounds, but of a fee the whole result.
  const bounds = price.type === 'usage' ? fraction : WHOLE;
  const pooled = poolUsage(price, input.usage);
  const groups = pooled.map((group, index) => {
    const groupNote = index < tracedGroupsMax ? (group.name === '' ? note : noteFor(note, group.name)) : noNote;
    return { ...group, modelAmount: rateGroup(group.quantity, { price, fraction: bounds, note: groupNote }) };
  });
  const quantity = sumOf(groups, (group) => group.quantity);
  let amount = sumOf(groups, (group) => group.modelAmount);
  if (groups.length > 1 || groups[0]?.name !== '') noteSum({ groups, quantity, amount }, note);
  const maximum = optionalDecimal(price.maximum_amount);
  if (maximum !== null) amount = limitToMaximum(amount, { bound: maximum, fraction: bounds, quantity, note });
  const minimum = optionalDecimal(price.minimum_amount);
  if (minimum !== null) amount = raiseToMinimum(amount, { bound: minimum, fraction: bounds, quantity, note });
  if (price.type !== 'usage') amount = prorateAmount(amount, { fraction, quantity, note });
  return { quantity, amount, groups };
}

function rateGroup(metered: Decimal, options: { price: RateablePrice; fraction: Fraction; note: Note }): Decimal {
  const { price, fraction, note } = options;
  const words = price.type === 'usage' ? 'metered' : 'billed';
  note(() => traceStep({ step: 'quantity', detail: `${toPlain(metered)} ${words}`, quantity: metered, amount: ZERO }));
  let quantity = clampNegative(metered, note);
  if (price.unit_conversion !== undefined) quantity = convertUnits(quantity, price.unit_conversion, note);
  const included = optionalDecimal(price.included_units);
  if (included !== null) quantity = subtractIncluded(quantity, { included, fraction, note });
  const shares = rateModel(quantity, price.model);
  const amount = sumOf(shares, (share) => share.amount);
  noteShares({ shares, quantity, amount }, note);
  return amount;
}

/** One step per share with its own numbers, then one with the model's; a single share is the model's step itself. */
function noteShares(rated: { shares: readonly Share[]; quantity: Decimal; amount: Decimal }, note: Note): void {
  const [first, ...others] = rated.shares;
  if (others.length > 0) {
    for (const share of rated.shares) note(() => traceStep({ ...share, step: share.ref }));
  }
  note(() => {
    const words = first !== undefined && others.length === 0 ? first.detail : rated.shares.map((share) => toPlain(share.amount)).join(' + ');
    return traceStep({ step: 'model', detail: `${words} = ${toPlain(rated.amount)}`, quantity: rated.quantity, amount: rated.amount });
  });
}

function noteSum(rating: ExactRating, note: Note): void {
  note(() => {
    const untraced = Math.max(0, rating.groups.length - tracedGroupsMax);
    const rest = untraced === 0 ? '' : `; ${untraced} of them are rated in the same way and left out above`;
    return traceStep({ step: 'sum', detail: `the sum of ${rating.groups.length} ${rating.groups.length === 1 ? 'group' : 'groups'}${rest}`, quantity: rating.quantity, amount: rating.amount });
  });
}
