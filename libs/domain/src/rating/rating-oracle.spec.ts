import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Curve } from '../catalog/model.js';
import type { RateablePrice } from '../catalog/price.js';
import { canonicalDecimal } from '../money/decimal-text.js';
import { decimal, toPlain } from '../money/decimal.js';
import type { Rounding } from '../money/minor-units.js';
import { chargeEvents, noEventsYet } from './charge-events.js';
import type { GroupUsage } from './pool-usage.js';
import { rateModel } from './rate-model.js';
import { ratePrice } from './rate-price.js';
import { simulatePrice } from './simulate-price.js';

// Goal: every wrapper around every curve, exact to the last digit. Method: an oracle in fractions of whole numbers that follows
// the contract's words and knows no decimal library; quotients have 40 digits, half to even, where the contract has them.

/** n / d, d above 0. */
interface Ratio {
  readonly n: bigint;
  readonly d: bigint;
}
const ratio = (n: bigint, d = 1n): Ratio => ({ n, d });
const plus = (a: Ratio, b: Ratio): Ratio => ratio(a.n * b.d + b.n * a.d, a.d * b.d);
const minus = (a: Ratio, b: Ratio): Ratio => plus(a, ratio(-b.n, b.d));
const times = (a: Ratio, b: Ratio): Ratio => ratio(a.n * b.n, a.d * b.d);
const over = (a: Ratio, b: Ratio): Ratio => ratio(a.n * b.d, a.d * b.n);
const compare = (a: Ratio, b: Ratio): bigint => a.n * b.d - b.n * a.d;
const least = (a: Ratio, b: Ratio): Ratio => (compare(a, b) <= 0n ? a : b);
const most = (a: Ratio, b: Ratio): Ratio => (compare(a, b) >= 0n ? a : b);
const zero = ratio(0n);
/** A whole number of the ratio's units, by what is done with the rest; halves go away from 0. */
const whole = ({ n, d }: Ratio, mode: 'up' | 'down' | 'half_up' | 'half_even'): bigint => {
  if (n < 0n) return -whole({ n: -n, d }, mode);
  const down = n / d;
  const rest = 2n * (n % d);
  if (mode === 'down' || rest === 0n) return down;
  if (mode === 'up' || rest > d || (rest === d && (mode === 'half_up' || down % 2n === 1n))) return down + 1n;
  return down;
};
const quotient = (value: Ratio): Ratio => {
  if (value.n === 0n) return zero;
  let places = 0n;
  const scaled = (): Ratio => (places >= 0n ? ratio(value.n * 10n ** places, value.d) : ratio(value.n, value.d * 10n ** -places));
  while (whole(scaled(), 'down') >= 10n ** 40n) places -= 1n;
  while (whole(scaled(), 'down') < 10n ** 39n) places += 1n;
  const digits = whole(scaled(), 'half_even');
  return places >= 0n ? ratio(digits, 10n ** places) : ratio(digits * 10n ** -places);
};
const read = (text: string): Ratio => {
  const [before = '0', after = ''] = text.split('.');
  return ratio(BigInt(before + after), 10n ** BigInt(after.length));
};

const unit = 10n ** 18n;
const text = (scaled: bigint): string => canonicalDecimal(`${scaled}e-18`) ?? '';
const quantities = fc.oneof(
  fc.constant('0'), fc.constant('1000000000000'), fc.constantFrom('10', '100', '10.5', '100.000000000000000001'),
  fc.bigInt({ min: 0n, max: 300n }).map(String), fc.bigInt({ min: 0n, max: 300n * unit }).map(text), fc.bigInt({ min: 0n, max: 10n ** 36n }).map(text),
);
const amounts = fc.oneof(fc.constant('0'), fc.constant('0.0000001'), fc.bigInt({ min: 0n, max: 20n * unit }).map(text), fc.integer({ min: 0, max: 500 }).map((cents) => canonicalDecimal((cents / 100).toFixed(2)) ?? '0'));
const sizes = fc.oneof(fc.constantFrom('1', '3', '7', '1000'), fc.bigInt({ min: 1n, max: 100n * unit }).map(text));
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

interface TierText {
  readonly up_to: string | null;
  readonly amount: string;
  readonly flat: string | undefined;
  readonly maximum: string | undefined;
}
const tiers: fc.Arbitrary<TierText[]> = fc
  .tuple(fc.subarray(['0.5', '10', '11', '100', '100.5', '250']), fc.array(fc.record({ amount: amounts, flat: optional(amounts), maximum: optional(amounts) }), { minLength: 7, maxLength: 7 }))
  .map(([bounds, asked]) => [...bounds, null].map((upTo, index) => ({ up_to: upTo, amount: '0', flat: undefined, maximum: undefined, ...asked[index] })));
const unitTiers = (list: readonly TierText[]) =>
  list.map(({ up_to, amount, flat, maximum }) => ({ up_to, unit_amount: amount, ...(flat !== undefined && { flat_amount: flat }), ...(maximum !== undefined && { maximum_amount: maximum }) }));

const curves: Record<Curve['type'], fc.Arbitrary<Curve>> = {
  flat: amounts.map((amount) => ({ type: 'flat', amount })),
  per_unit: amounts.map((amount) => ({ type: 'per_unit', unit_amount: amount })),
  package: fc.tuple(sizes, amounts).map(([size, amount]) => ({ type: 'package', package_size: size, package_amount: amount })),
  graduated: tiers.map((list) => ({ type: 'graduated', tiers: unitTiers(list) })),
  volume: tiers.map((list) => ({ type: 'volume', tiers: unitTiers(list) })),
  stairstep: tiers.map((list) => ({ type: 'stairstep', tiers: list.map(({ up_to, amount }) => ({ up_to, amount })) })),
  graduated_percentage: tiers.map((list) => ({ type: 'graduated_percentage', tiers: unitTiers(list).map(({ unit_amount: rate, ...tier }) => ({ ...tier, rate })) })),
};

function askedOf(tier: { flat_amount?: string | undefined; maximum_amount?: string | undefined }, part: { quantity: Ratio; unitAmount: Ratio }): Ratio {
  const asked = plus(times(part.quantity, part.unitAmount), read(tier.flat_amount ?? '0'));
  return tier.maximum_amount === undefined ? asked : least(asked, read(tier.maximum_amount));
}

function curveOracle(quantity: Ratio, curve: Curve): Ratio {
  switch (curve.type) {
    case 'flat':
      return read(curve.amount);
    case 'per_unit':
      return times(quantity, read(curve.unit_amount));
    case 'package':
      return times(ratio(whole(over(quantity, read(curve.package_size)), 'up')), read(curve.package_amount));
    case 'stairstep':
      return read(curve.tiers.find(({ up_to: upTo }) => upTo === null || compare(quantity, read(upTo)) <= 0n)?.amount ?? '');
    case 'volume': {
      const tier = curve.tiers.find(({ up_to: upTo }) => upTo === null || compare(quantity, read(upTo)) <= 0n);
      return tier === undefined ? zero : askedOf(tier, { quantity, unitAmount: read(tier.unit_amount) });
    }
    case 'graduated':
    case 'graduated_percentage': {
      let sum = zero;
      let from = zero;
      for (const [index, tier] of curve.tiers.entries()) {
        const end = tier.up_to === null ? quantity : least(quantity, read(tier.up_to));
        const isReached = compare(end, from) > 0n;
        const unitAmount = 'rate' in tier ? times(read(tier.rate), ratio(1n, 100n)) : read(tier.unit_amount);
        if (isReached || index === 0) sum = plus(sum, askedOf(tier, { quantity: minus(end, from), unitAmount }));
        from = most(from, end);
      }
      return sum;
    }
  }
}

interface Fractions {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** What was used beside the quantity itself. */
interface Beside {
  /** In the period before, which was whole; or since the tiers began to count. */
  readonly earlier?: string | undefined;
  /** What was measured of the service; its bounds here are 1 and 2. */
  readonly measured?: string | undefined;
}

/** The unrounded amount of a price, by the contract's order of steps. */
function priceOracle(quantity: string, price: RateablePrice & { model: Curve }, given: { fraction: Fractions } & Beside): Ratio {
  const { fraction } = given;
  const share = (value: Ratio): Ratio => (fraction.numerator === fraction.denominator ? value : quotient(times(value, ratio(fraction.numerator, fraction.denominator))));
  const isUsage = price.type === 'usage';
  const scaled = (amount: string): Ratio => (isUsage ? share(read(amount)) : read(amount));
  const convert = (units: Ratio): Ratio => convertOracle(units, price);
  const countsOn = price.tier_period !== undefined && given.earlier !== undefined;
  const askedFor = (units: Ratio): Ratio => {
    let rest = convert(units);
    // A tier period is whole here.
    if (price.included_units !== undefined) rest = most(zero, minus(rest, countsOn ? read(price.included_units) : scaled(price.included_units)));
    if (price.rollover !== undefined && given.earlier !== undefined) {
      const left = most(zero, minus(read(price.included_units ?? '0'), convert(read(given.earlier))));
      rest = most(zero, minus(rest, price.rollover.maximum_units === undefined ? left : least(left, read(price.rollover.maximum_units))));
    }
    return curveOracle(rest, price.model);
  };
  const before = countsOn ? read(given.earlier ?? '0') : zero;
  const asked = countsOn ? minus(askedFor(plus(before, read(quantity))), askedFor(before)) : askedFor(read(quantity));
  const amount = boundOracle(asked, price, { scaled, measured: given.measured });
  return isUsage ? amount : share(amount);
}

function convertOracle(units: Ratio, { unit_conversion: conversion }: RateablePrice): Ratio {
  if (conversion === undefined) return units;
  const converted = quotient(over(units, read(conversion.divide_by)));
  return conversion.rounding === 'none' ? converted : ratio(whole(converted, conversion.rounding === 'nearest' ? 'half_up' : conversion.rounding));
}

/** Discount, maximum, minimum and credit of a sum. */
function boundOracle(asked: Ratio, price: RateablePrice, { scaled, measured }: { scaled: (amount: string) => Ratio; measured?: string | undefined }): Ratio {
  let amount = asked;
  if (price.discount !== undefined) {
    const afterPercent = times(amount, minus(ratio(1n), times(read(price.discount.percent ?? '0'), ratio(1n, 100n))));
    amount = most(least(zero, afterPercent), minus(afterPercent, scaled(price.discount.amount ?? '0')));
  }
  if (price.maximum_amount !== undefined) amount = least(amount, scaled(price.maximum_amount));
  if (price.minimum_amount !== undefined) amount = most(amount, scaled(price.minimum_amount));
  const crossed = measured === undefined ? undefined : price.sla_credit?.tiers.findLast(({ above }) => compare(read(measured), read(above ?? '')) > 0n);
  return crossed === undefined ? amount : minus(amount, times(most(zero, amount), times(read(crossed.percent), ratio(1n, 100n))));
}

const conversion = fc.record({ divide_by: sizes, rounding: fc.constantFrom('none' as const, 'up' as const, 'down' as const, 'nearest' as const) });
const percent = fc.constantFrom('0', '10', '33.3', '100');
const bounds = fc.tuple(amounts, amounts).map(([a, b]) => (compare(read(a), read(b)) <= 0n ? { minimum_amount: a, maximum_amount: b } : { minimum_amount: b, maximum_amount: a }));
type Wrapper = Partial<Omit<RateablePrice, 'model'>> & Beside;
const rollover = fc.record({ maximum_units: optional(quantities) }).map(({ maximum_units: maximum }) => (maximum === undefined ? {} : { maximum_units: maximum }));
const slaCredit = fc.record({ percents: fc.tuple(percent, percent), measured: optional(fc.constantFrom('0', '1', '1.5', '2', '3')) })
  .map(({ percents: [first, second], measured }) => ({ measured, sla_credit: { meter: 'latency', tiers: [{ above: '1', percent: first }, { above: '2', percent: second }] } }));
const wrappers: Record<string, fc.Arbitrary<Wrapper>> = {
  nothing: fc.constant({}),
  unit_conversion: conversion.map((unit_conversion) => ({ unit_conversion })),
  included_units: quantities.map((included_units) => ({ included_units })),
  rollover: fc.record({ included_units: quantities, rollover, earlier: quantities }),
  'tiers that count on': fc.tuple(optional(quantities), quantities, percent, amounts).map(([included, earlier, off, amount]) => (
    { tier_period: 'P1Y', earlier, ...(included !== undefined && { included_units: included }), discount: { percent: off, amount } })),
  'a credit for bad service': slaCredit,
  'a percent off': percent.map((value) => ({ discount: { percent: value } })),
  'an amount off': amounts.map((amount) => ({ discount: { amount } })),
  'minimum and maximum': bounds,
  'proration of a fee': amounts.map((amount) => ({ type: 'recurring', discount: { amount } })),
  'proration of usage': fc.tuple(amounts, quantities, bounds).map(([amount, included_units, both]) => ({ prorate: 'day', included_units, discount: { amount }, ...both })),
  everything: fc.tuple(conversion, fc.record({ included_units: quantities, rollover, earlier: quantities }), percent, amounts, bounds, slaCredit)
    .map(([unit_conversion, units, off, amount, both, credit]) => ({ unit_conversion, ...units, ...credit, discount: { percent: off, amount }, prorate: 'second', ...both })),
};
const fractions = fc.oneof(fc.constant({ numerator: 1n, denominator: 1n }), fc.tuple(fc.bigInt({ min: 0n, max: 31n }), fc.constantFrom(31n, 30n, 28n)).map(([n, d]) => ({ numerator: n > d ? d : n, denominator: d })));
const postings: [string, bigint][] = [['JPY', 1n], ['USD', 100n], ['BHD', 1000n]];

describe.each(Object.keys(wrappers))('%s around', (name) => {
  it.each(Object.keys(curves) as Curve['type'][])('%s', (type) => {
    const wrapper = wrappers[name] ?? fc.constant<Wrapper>({});
    fc.assert(fc.property(quantities, curves[type], wrapper, fractions, (quantity, model, { earlier, measured, ...terms }, fraction) => {
      const price = { type: 'usage' as const, model, ...terms };
      const given = name.includes('proration') || name === 'everything' ? fraction : { numerator: 1n, denominator: 1n };
      const expected = priceOracle(quantity, price, { fraction: given, earlier, measured });
      const usageOf = (units: string) => [{ group: {}, quantity: decimal(units) }];
      const countsOn = price.tier_period !== undefined && earlier !== undefined;
      const all = countsOn ? [...usageOf(earlier), ...usageOf(quantity)] : usageOf(quantity);
      const slaValue = measured === undefined ? null : decimal(measured);
      const around = earlier === undefined ? { slaValue } : countsOn ? { slaValue, tierCount: { since: null, before: usageOf(earlier), share: { numerator: 1n, denominator: 1n } } } : { slaValue, previous: { price, usage: usageOf(earlier) } };
      for (const [currency, minorUnits] of postings) {
        for (const rounding of ['half_away_from_zero', 'half_even'] as Rounding[]) {
          const rated = ratePrice({ price, currency, rounding, usage: all, fraction: given, around });
          expect(compare(read(toPlain(rated.unroundedAmount)), expected)).toBe(0n);
          expect(rated.amountMinor).toBe(whole(times(expected, ratio(minorUnits)), rounding === 'half_even' ? 'half_even' : 'half_up'));
        }
      }
    }), { numRuns: 25 });
  });
});

describe('quantities that are priced by themselves', () => {
  const terms = fc.record({ conversion: optional(conversion), included: optional(quantities), percent, amount: amounts, both: bounds }).map(({ conversion: unit_conversion, included: included_units, both, ...off }): Partial<RateablePrice> => ({
    ...(unit_conversion !== undefined && { unit_conversion }), ...(included_units !== undefined && { included_units }), discount: off, ...both,
  }));
  const several = fc.array(quantities, { minLength: 1, maxLength: 5 });
  const midnight = Temporal.Instant.from('2027-01-01T00:00:00Z');
  const expectRated = (price: RateablePrice, usage: readonly GroupUsage[], expected: Ratio): void => {
    const rated = ratePrice({ price, currency: 'USD', rounding: 'half_even', usage });
    expect(compare(read(toPlain(rated.unroundedAmount)), expected)).toBe(0n);
    expect(rated.amountMinor).toBe(whole(times(expected, ratio(100n)), 'half_even'));
  };

  it.each(Object.keys(curves) as Curve['type'][])('hours of %s use up what is included in the order of time', (type) => {
    fc.assert(fc.property(several, curves[type], terms, (hours, model, more) => {
      const price = { type: 'usage' as const, model, bucket: 'hour' as const, ...more };
      let left = read(price.included_units ?? '0');
      let sum = zero;
      for (const quantity of hours) {
        const sold = convertOracle(read(quantity), price);
        const included = least(left, sold);
        left = minus(left, included);
        sum = plus(sum, curveOracle(minus(sold, included), model));
      }
      const usage = hours.map((quantity, hour) => ({ group: {}, quantity: decimal(quantity), bucket: midnight.add({ hours: hour }) }));
      expectRated(price, usage.toReversed(), boundOracle(sum, price, { scaled: read }));
    }), { numRuns: 25 });
  });

  it.each(Object.keys(curves) as Curve['type'][])('groups of %s include the same each', (type) => {
    fc.assert(fc.property(several, curves[type], terms, (quantitiesOf, model, more) => {
      const price = { type: 'usage' as const, model, group_by: ['g'], ...more };
      const asked = quantitiesOf.map((quantity) => curveOracle(most(zero, minus(convertOracle(read(quantity), price), read(price.included_units ?? '0'))), model));
      const usage = quantitiesOf.map((quantity, index) => ({ group: { g: String(index) }, quantity: decimal(quantity) }));
      expectRated(price, usage, boundOracle(asked.reduce(plus), price, { scaled: read }));
    }), { numRuns: 25 });
  });

  it.each(Object.keys(curves) as Curve['type'][])('events of %s that are exempt change nothing', (type) => {
    fc.assert(fc.property(fc.array(fc.tuple(quantities, fc.boolean()), { maxLength: 6 }), curves[type], terms, (events, model, more) => {
      const simulated = (exempt: string | undefined, priced: readonly (readonly [string, boolean])[]) => simulatePrice(
        { price: { type: 'usage', model, ...more, ...(exempt !== undefined && { exempt }) }, currency: 'USD', events: priced.map(([value, failed]) => ({ value, data: { failed } })) }, { rounding: 'half_even' });
      expect(simulated('data.failed == true', events).unrounded_amount).toBe(simulated(undefined, events.filter(([, failed]) => !failed)).unrounded_amount);
    }), { numRuns: 25 });
  });
});

describe('what holds for curves, by name', () => {
  const amountOf = (quantity: string, model: Curve) => rateModel({ quantity: decimal(quantity) }, model).reduce((sum, share) => sum.plus(share.amount), decimal('0'));

  it.each(['flat', 'per_unit', 'package', 'graduated', 'graduated_percentage'] as const)('%s: more never costs less', (type) => {
    fc.assert(fc.property(quantities, quantities, curves[type], (a, b, model) => {
      const [less, more] = compare(read(a), read(b)) <= 0n ? [a, b] : [b, a];
      expect(amountOf(less, model).lte(amountOf(more, model))).toBe(true);
    }));
  });

  it.each(Object.keys(curves) as Curve['type'][])('%s: nothing is ever owed to the customer', (type) => {
    fc.assert(fc.property(quantities, curves[type], (quantity, model) => {
      expect(amountOf(quantity, model).gte(0)).toBe(true);
    }));
  });

  it('graduated_percentage is graduated at a hundredth', () => {
    fc.assert(fc.property(quantities, tiers, (quantity, list) => {
      const ofUnits = unitTiers(list).map((tier) => ({ ...tier, unit_amount: canonicalDecimal(`${tier.unit_amount}e-2`) ?? '0' }));
      fc.pre(ofUnits.every(({ unit_amount: amount }) => (amount.split('.')[1] ?? '').length <= 18));
      const ofRates = unitTiers(list).map(({ unit_amount: rate, ...tier }) => ({ ...tier, rate }));
      expect(toPlain(amountOf(quantity, { type: 'graduated_percentage', tiers: ofRates }))).toBe(toPlain(amountOf(quantity, { type: 'graduated', tiers: ofUnits })));
    }));
  });

  it('a percentage without bounds and allowances does not care how a value is split', () => {
    fc.assert(fc.property(fc.array(quantities, { minLength: 1, maxLength: 10 }), amounts, (values, rate) => {
      const charge = (list: readonly string[]) => toPlain(chargeEvents(noEventsYet, list.map(decimal), { type: 'percentage', rate }).amount);
      const sum = toPlain(values.map(decimal).reduce((a, b) => a.plus(b)));
      fc.pre((sum.split('.')[0] ?? '').length <= 20);
      expect(charge(values)).toBe(charge([sum]));
    }));
  });
});
