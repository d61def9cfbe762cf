import { modelIn, type RateablePrice } from '../catalog/price.js';
import { type Decimal, toPlain } from '../money/decimal.js';
import { stairsOf } from './rate-stairstep.js';
import type { Share } from './share.js';
import { type Band, percentTiersOf, type Tier, tiersOf } from './tier.js';

/** A bound of a price's own terms that the usage of a period has reached so far. Decimals in shortest plain notation. */
export interface Threshold {
  readonly kind: 'included_units' | 'tier' | 'tier_maximum' | 'maximum' | 'minimum';
  /** Stable: "all/included-units", "[\"eu\"]/tier-2", "all/tier-1-maximum", "maximum". A bound of a group is named after the group's line. */
  readonly ref: string;
  /** Which tier was entered or has reached its maximum, counted from 1; null of other bounds. */
  readonly tier: number | null;
  /** Empty where the bound is for all usage of the price. */
  readonly group: Readonly<Record<string, string>>;
  /** As it is in this period: with what rolled over, and the share of a partial one. */
  readonly bound: string;
  /** What has come so far: of included units the units that are sold, of a tier and its maximum what is left of them for the tiers, of the price's maximum or minimum what was metered. */
  readonly quantity: string;
  /** Major units, unrounded: what the model asks for the group, or what was held against the price's maximum or minimum. */
  readonly amount: string;
}

/** What was held against the bounds of a group. */
export interface GroupLevel {
  readonly ref: string;
  readonly group: Readonly<Record<string, string>>;
  /** After unit conversion. */
  readonly sold: Decimal;
  /** Included units with those that rolled over. */
  readonly included: Decimal;
  /** What the tiers see. */
  readonly priced: Decimal;
  /** What each tier that was entered asks. */
  readonly shares: readonly Share[];
  readonly amount: Decimal;
}

export interface SumLevel {
  readonly kind: 'maximum' | 'minimum';
  readonly bound: Decimal;
  readonly quantity: Decimal;
  readonly amount: Decimal;
}

/** Where a rating leaves what it held against the bounds of its price, so that nothing is computed twice for them. */
export interface RatingLevels {
  /** One per group; none of prices whose cells or buckets are priced by themselves. */
  readonly groups: GroupLevel[];
  /** The same before the period, where tiers count on from there. */
  readonly earlier: GroupLevel[];
  readonly sums: SumLevel[];
}

/** A place for the levels of a usage price; undefined where it has no bound that they could reach. */
export function levelsFor(price: RateablePrice, currency: string): RatingLevels | undefined {
  if (price.type !== 'usage') return undefined;
  const boundsGroups = price.bucket === undefined && (price.included_units !== undefined || tiersIn(price, currency).some(({ upTo, maximumAmount }) => upTo !== null || isBound(maximumAmount)));
  const isBounded = boundsGroups || price.maximum_amount !== undefined || price.minimum_amount !== undefined;
  return isBounded ? { groups: [], earlier: [], sums: [] } : undefined;
}

/**
 * The thresholds that a rating reached: included units once they are used up (the quantity is at or above them), a tier from the
 * second on once any quantity falls in it (it is above the end of the one before), a maximum or minimum once the amount that it is for is at or above it. A bound of
 * 0 is none, since it is reached without usage. Where tiers count on, what the usage before the period had reached is left out.
 */
export function reachedThresholds({ price, currency }: { readonly price: RateablePrice; readonly currency: string }, levels: RatingLevels): readonly Threshold[] {
  const tiers = tiersIn(price, currency);
  const earlier = new Set(levels.earlier.flatMap((level) => reachedByGroup(level, tiers)).map(({ ref }) => ref));
  const sums = levels.sums.filter(({ bound, amount }) => bound.gt(0) && amount.gte(bound));
  return [
    ...levels.groups.flatMap((level) => reachedByGroup(level, tiers)).filter(({ ref }) => !earlier.has(ref)),
    ...sums.map(({ kind, bound, quantity, amount }): Threshold => ({ kind, ref: kind, tier: null, group: {}, bound: toPlain(bound), quantity: toPlain(quantity), amount: toPlain(amount) })),
  ];
}

function reachedByGroup({ ref, group, sold, included, priced, shares, amount }: GroupLevel, tiers: readonly BoundedBand[]): Threshold[] {
  const reached: Threshold[] = [];
  const asked = toPlain(amount);
  if (included.gt(0) && sold.gte(included)) reached.push({ kind: 'included_units', ref: `${ref}/included-units`, tier: null, group, bound: toPlain(included), quantity: toPlain(sold), amount: asked });
  for (const [index, { upTo, maximumAmount }] of tiers.entries()) {
    const tier = index + 1;
    const share = shares.find((each) => each.ref === `tier-${tier}`);
    if (share !== undefined && isBound(maximumAmount) && share.amount.gte(maximumAmount)) {
      reached.push({ kind: 'tier_maximum', ref: `${ref}/tier-${tier}-maximum`, tier, group, bound: toPlain(maximumAmount), quantity: toPlain(priced), amount: asked });
    }
    if (upTo === null || !priced.gt(upTo)) break;
    reached.push({ kind: 'tier', ref: `${ref}/tier-${tier + 1}`, tier: tier + 1, group, bound: toPlain(upTo), quantity: toPlain(priced), amount: asked });
  }
  return reached;
}

type BoundedBand = Band & Pick<Tier, 'maximumAmount'>;

const isBound = (amount: Decimal | null | undefined): amount is Decimal => amount !== null && amount !== undefined && amount.gt(0);

/** The tiers of the price's own model; those of a matrix belong to its cells. */
function tiersIn(price: RateablePrice, currency: string): readonly BoundedBand[] {
  const model = modelIn(price, currency);
  if (model.type === 'graduated' || model.type === 'volume') return tiersOf(model.tiers);
  if (model.type === 'graduated_percentage') return percentTiersOf(model.tiers);
  return model.type === 'stairstep' ? stairsOf(model.tiers) : [];
}
