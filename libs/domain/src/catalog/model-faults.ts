import type { Decimal } from '../money/decimal.js';
import type { CatalogFault } from './catalog-fault.js';
import { decimalFaults, soundDecimal } from './decimal-faults.js';
import type { Model, ModelTier } from './model.js';

/** Everything wrong with a model whose shape is right. */
export function modelFaults(model: Model, pointer: string): CatalogFault[] {
  switch (model.type) {
    case 'flat':
      return decimalFaults({ text: model.amount, pointer: `${pointer}/amount`, kind: 'amount' });
    case 'per_unit':
      return decimalFaults({ text: model.unit_amount, pointer: `${pointer}/unit_amount`, kind: 'amount' });
    case 'package':
      return [
        ...decimalFaults({ text: model.package_size, pointer: `${pointer}/package_size`, kind: 'quantity', aboveZero: true }),
        ...decimalFaults({ text: model.package_amount, pointer: `${pointer}/package_amount`, kind: 'amount' }),
      ];
    case 'graduated':
    case 'volume':
      return tiersFaults(model.tiers, `${pointer}/tiers`);
  }
}

function tiersFaults(tiers: readonly ModelTier[], pointer: string): CatalogFault[] {
  const faults = tiers.flatMap((tier, index) => tierFaults(tier, `${pointer}/${index}`));
  let highest: Decimal | null = null;
  for (const [index, tier] of tiers.entries()) {
    const at = `${pointer}/${index}/up_to`;
    const isLast = index === tiers.length - 1;
    if (tier.up_to === null && !isLast) {
      faults.push({ pointer: at, code: 'tier_open_too_early', detail: 'Only the last tier is open; give this one an upper bound or move it to the end.' });
    }
    if (tier.up_to !== null && isLast) {
      faults.push({ pointer: at, code: 'tier_not_open', detail: 'The last tier must be open, so that every quantity has a price; set its up_to to null or add an open tier.' });
    }
    const upTo = soundDecimal({ text: tier.up_to, kind: 'quantity' });
    if (upTo === null) continue;
    if (highest !== null && upTo.lte(highest)) {
      faults.push({ pointer: at, code: 'tiers_unsorted', detail: 'A tier must end above the one before it; sort the tiers by up_to and give each its own bound.' });
    } else {
      highest = upTo;
    }
  }
  return faults;
}

function tierFaults(tier: ModelTier, pointer: string): CatalogFault[] {
  return [
    ...decimalFaults({ text: tier.up_to, pointer: `${pointer}/up_to`, kind: 'quantity', aboveZero: true }),
    ...decimalFaults({ text: tier.unit_amount, pointer: `${pointer}/unit_amount`, kind: 'amount' }),
    ...decimalFaults({ text: tier.flat_amount, pointer: `${pointer}/flat_amount`, kind: 'amount' }),
  ];
}
