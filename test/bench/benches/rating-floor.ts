import { Decimal, decimal, ZERO } from '#domain';
import type { Model } from '#domain';

/** A tier, its texts made into decimals beforehand. */
interface BareTier {
  readonly upTo: Decimal | null;
  readonly unitAmount: Decimal;
  readonly flatAmount: Decimal;
}

/** A model as a function from quantity to amount, with nothing but the sums. */
export type BareModel = (quantity: Decimal) => Decimal;

export function bareModelOf(model: Model): BareModel {
  switch (model.type) {
    case 'flat': {
      const amount = decimal(model.amount);
      return () => amount;
    }
    case 'per_unit': {
      const unitAmount = decimal(model.unit_amount);
      return (quantity) => quantity.times(unitAmount);
    }
    case 'package': {
      const [size, amount] = [decimal(model.package_size), decimal(model.package_amount)];
      return (quantity) => barePackages(quantity, size).times(amount);
    }
    case 'graduated': {
      const tiers = bareTiers(model.tiers);
      return (quantity) => bareGraduated(quantity, tiers);
    }
    case 'volume': {
      const tiers = bareTiers(model.tiers);
      return (quantity) => bareVolume(quantity, tiers);
    }
    case 'stairstep': {
      const stairs = model.tiers.map(({ up_to: upTo, amount }) => ({ upTo: upTo === null ? null : decimal(upTo), unitAmount: ZERO, flatAmount: decimal(amount) }));
      return (quantity) => bareVolume(quantity, stairs);
    }
    case 'graduated_percentage': {
      const tiers = bareTiers(model.tiers.map(({ rate, ...tier }) => ({ ...tier, unit_amount: decimal(rate).times('0.01').toFixed() })));
      return (quantity) => bareGraduated(quantity, tiers);
    }
    case 'matrix':
      // The bench's usage has no groups, so the default prices all of it.
      return model.default === null || model.default === undefined ? () => ZERO : bareModelOf(model.default);
    case 'percentage':
    case 'dynamic':
      throw new Error(`The bench has no events for a ${model.type} model.`);
  }
}

/** The sum of the posted amounts of all quantities, in minor units of a currency with two digits. */
export function bareSum(model: BareModel, quantities: readonly Decimal[]): bigint {
  let sum = 0n;
  for (const quantity of quantities) sum += BigInt(model(quantity).toDecimalPlaces(2, Decimal.ROUND_HALF_UP).times(100).toFixed());
  return sum;
}

function bareTiers(tiers: Extract<Model, { type: 'graduated' }>['tiers']): BareTier[] {
  return tiers.map(({ up_to: upTo, unit_amount: unitAmount, flat_amount: flatAmount }) => ({
    upTo: upTo === null ? null : decimal(upTo),
    unitAmount: decimal(unitAmount),
    flatAmount: flatAmount === undefined ? ZERO : decimal(flatAmount),
  }));
}

function barePackages(quantity: Decimal, size: Decimal): Decimal {
  const full = quantity.divToInt(size);
  return full.times(size).eq(quantity) ? full : full.plus(1);
}

function bareGraduated(quantity: Decimal, tiers: readonly BareTier[]): Decimal {
  let amount = tiers[0]?.flatAmount ?? ZERO;
  let from: Decimal = ZERO;
  for (const [index, { upTo, unitAmount, flatAmount }] of tiers.entries()) {
    if (index > 0 && !quantity.gt(from)) break;
    const end = upTo === null || quantity.lt(upTo) ? quantity : upTo;
    amount = amount.plus(end.minus(from).times(unitAmount));
    if (index > 0) amount = amount.plus(flatAmount);
    from = end;
  }
  return amount;
}

function bareVolume(quantity: Decimal, tiers: readonly BareTier[]): Decimal {
  for (const { upTo, unitAmount, flatAmount } of tiers) if (upTo === null || quantity.lte(upTo)) return quantity.times(unitAmount).plus(flatAmount);
  return ZERO;
}
