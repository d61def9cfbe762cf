import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Curve } from '../catalog/model.js';
import type { RateablePrice } from '../catalog/price.js';
import { canonicalDecimal } from '../money/decimal-text.js';
import { decimal, sumOf, toPlain } from '../money/decimal.js';
import { rateModel } from './rate-model.js';
import { rateAmountMinor, ratePrice } from './rate-price.js';

// Goal: what holds for every price, by name. Method: random models and quantities with up to 18 places, against an oracle that
// computes in whole numbers of 10^-18 (quantities, bounds) and 10^-36 (amounts), and knows no decimal library.
const unit = 10n ** 18n;
const text = (scaled: bigint): string => canonicalDecimal(`${scaled}e-18`) ?? '';
const minorOfUsd = (amount: bigint): bigint => {
  const cent = 10n ** 34n; // In 10^-36.
  return (2n * amount + cent) / (2n * cent); // Half away from zero; amounts here are never negative.
};

const anyQuantity = fc.oneof(fc.bigInt({ min: 0n, max: 2000n }).map((n) => n * unit), fc.bigInt({ min: 0n, max: 2000n * unit }), fc.bigInt({ min: 0n, max: 10n ** 36n }));
const anyAmount = fc.oneof(fc.bigInt({ min: 0n, max: 10n * unit }), fc.bigInt({ min: 0n, max: 10n ** 14n }));
const anyTiers = fc
  .tuple(fc.uniqueArray(fc.bigInt({ min: 1n, max: 2000n * unit }), { maxLength: 5 }), fc.array(fc.tuple(anyAmount, anyAmount), { minLength: 6, maxLength: 6 }))
  .map(([bounds, amounts]) =>
    [...bounds.sort((a, b) => (a < b ? -1 : 1)), null].map((upTo, index) => ({ upTo, unitAmount: amounts[index]?.[0] ?? 0n, flatAmount: amounts[index]?.[1] ?? 0n })),
  );
type OracleTier = { upTo: bigint | null; unitAmount: bigint; flatAmount: bigint };

const tiersModel = (type: 'graduated' | 'volume', tiers: readonly OracleTier[]): Curve => ({
  type,
  tiers: tiers.map((tier) => ({ up_to: tier.upTo === null ? null : text(tier.upTo), unit_amount: text(tier.unitAmount), flat_amount: text(tier.flatAmount) })),
});
const anyModel: fc.Arbitrary<Curve> = fc.oneof(
  anyAmount.map((amount): Curve => ({ type: 'flat', amount: text(amount) })),
  anyAmount.map((amount): Curve => ({ type: 'per_unit', unit_amount: text(amount) })),
  fc.tuple(fc.bigInt({ min: 1n, max: 100n * unit }), anyAmount).map(([size, amount]): Curve => ({ type: 'package', package_size: text(size), package_amount: text(amount) })),
  anyTiers.map((tiers) => tiersModel('graduated', tiers)),
  anyTiers.map((tiers) => tiersModel('volume', tiers)),
);

const modelAmount = (quantity: bigint, model: Curve) => sumOf(rateModel({ quantity: decimal(text(quantity)) }, model), (share) => share.amount);
const scaled36 = (quantity: bigint, model: Curve): bigint => BigInt(modelAmount(quantity, model).times('1e36').toFixed());
const smaller = (a: bigint, b: bigint) => (a < b ? a : b);

describe('models against whole-number oracles', () => {
  it('per_unit', () => {
    fc.assert(fc.property(anyQuantity, anyAmount, (quantity, amount) => {
      expect(scaled36(quantity, { type: 'per_unit', unit_amount: text(amount) })).toBe(quantity * amount);
    }));
  });

  it('package', () => {
    fc.assert(fc.property(anyQuantity, fc.bigInt({ min: 1n, max: 100n * unit }), anyAmount, (quantity, size, amount) => {
      const started = (quantity + size - 1n) / size;
      expect(scaled36(quantity, { type: 'package', package_size: text(size), package_amount: text(amount) })).toBe(started * amount * unit);
    }));
  });

  it('graduated', () => {
    fc.assert(fc.property(anyQuantity, anyTiers, (quantity, tiers) => {
      let expected = 0n;
      let from = 0n;
      for (const [index, tier] of tiers.entries()) {
        const inTier = smaller(quantity, tier.upTo ?? quantity) - from;
        if (inTier > 0n) expected += inTier * tier.unitAmount;
        if (inTier > 0n || index === 0) expected += tier.flatAmount * unit;
        from = tier.upTo ?? from;
      }
      expect(scaled36(quantity, tiersModel('graduated', tiers))).toBe(expected);
    }));
  });

  it('volume', () => {
    fc.assert(fc.property(anyQuantity, anyTiers, (quantity, tiers) => {
      const tier = tiers.find(({ upTo }) => upTo === null || quantity <= upTo);
      expect(scaled36(quantity, tiersModel('volume', tiers))).toBe(quantity * (tier?.unitAmount ?? 0n) + (tier?.flatAmount ?? 0n) * unit);
    }));
  });

  it('a whole price: included units, maximum, minimum, one rounding', () => {
    fc.assert(fc.property(anyQuantity, anyAmount, fc.tuple(anyAmount, anyAmount, anyAmount), (quantity, amount, [included, low, high]) => {
      const [minimum, maximum] = low < high ? [low, high] : [high, low];
      const price: RateablePrice = {
        type: 'usage', model: { type: 'per_unit', unit_amount: text(amount) }, included_units: text(included), minimum_amount: text(minimum), maximum_amount: text(maximum),
      };
      const rest = quantity > included ? quantity - included : 0n;
      const capped = smaller(rest * amount, maximum * unit);
      const expected = capped > minimum * unit ? capped : minimum * unit;
      const usage = [{ group: {}, quantity: decimal(text(quantity)) }];
      expect(rateAmountMinor({ price, currency: 'USD', rounding: 'half_away_from_zero', usage })).toBe(minorOfUsd(expected));
    }));
  });
});

describe('what holds for every model', () => {
  it('shares sum to the whole quantity', () => {
    fc.assert(fc.property(anyQuantity, anyModel, (quantity, model) => {
      expect(toPlain(sumOf(rateModel({ quantity: decimal(text(quantity)) }, model), (share) => share.quantity))).toBe(text(quantity));
    }));
  });

  it('more never costs less, but for volume', () => {
    fc.assert(fc.property(anyQuantity, anyQuantity, anyModel, (a, b, model) => {
      fc.pre(model.type !== 'volume');
      const [less, more] = a < b ? [a, b] : [b, a];
      expect(modelAmount(less, model).lte(modelAmount(more, model))).toBe(true);
    }));
  });

  it('per_unit does not care how a quantity is split', () => {
    fc.assert(fc.property(anyQuantity, anyQuantity, anyAmount, (a, b, amount) => {
      const model: Curve = { type: 'per_unit', unit_amount: text(amount) };
      expect(scaled36(a, model) + scaled36(b, model)).toBe(scaled36(a + b, model));
    }));
  });

  it('graduated and volume with one tier without flat part are per_unit', () => {
    fc.assert(fc.property(anyQuantity, anyAmount, (quantity, amount) => {
      const tiers = [{ upTo: null, unitAmount: amount, flatAmount: 0n }];
      expect(scaled36(quantity, tiersModel('graduated', tiers))).toBe(quantity * amount);
      expect(scaled36(quantity, tiersModel('volume', tiers))).toBe(quantity * amount);
    }));
  });

  it('lines sum to the price to the cent and to the last digit, whatever the order of the usage', () => {
    const usage = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), anyQuantity, fc.boolean()), { minLength: 1, maxLength: 12 });
    fc.assert(fc.property(anyModel, usage, fc.option(anyAmount, { nil: undefined }), (model, entries, maximum) => {
      const price: RateablePrice = { type: 'usage', model, group_by: ['g'], ...(maximum !== undefined && { maximum_amount: text(maximum) }) };
      const groups = entries.map(([g, quantity, isNegative]) => ({ group: { g }, quantity: decimal(text(isNegative ? -quantity : quantity)) }));
      const rated = ratePrice({ price, currency: 'USD', rounding: 'half_even', usage: groups });
      expect(rated.lines.reduce((sum, line) => sum + line.amountMinor, 0n)).toBe(rated.amountMinor);
      expect(toPlain(sumOf(rated.lines, (line) => line.unroundedAmount))).toBe(toPlain(rated.unroundedAmount));
      expect(rated.lines.every((line) => line.amountMinor >= 0n && line.unroundedAmount.gte(0))).toBe(true);
      expect(ratePrice({ price, currency: 'USD', rounding: 'half_even', usage: groups.toReversed() })).toEqual(rated);
    }));
  });
});
