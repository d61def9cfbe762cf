import type { Decimal } from '../money/decimal.js';
import type { CatalogFault } from './catalog-fault.js';
import { decimalFaults, soundDecimal } from './decimal-faults.js';

/** A tier of any tiered model: each has the amounts that its model knows. */
interface AnyTier {
  readonly up_to: string | null;
  readonly unit_amount?: string | undefined;
  readonly amount?: string | undefined;
  readonly rate?: string | undefined;
  readonly flat_amount?: string | undefined;
  readonly maximum_amount?: string | undefined;
}

const amounts = ['unit_amount', 'amount', 'rate', 'flat_amount', 'maximum_amount'] as const;

/** Everything wrong with tiers: their numbers, their order, and that exactly the last is open. */
export function tiersFaults(tiers: readonly AnyTier[], pointer: string): CatalogFault[] {
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

function tierFaults(tier: AnyTier, pointer: string): CatalogFault[] {
  return [
    ...decimalFaults({ text: tier.up_to, pointer: `${pointer}/up_to`, kind: 'quantity', aboveZero: true }),
    ...amounts.flatMap((name) => decimalFaults({ text: tier[name], pointer: `${pointer}/${name}`, kind: 'amount' })),
  ];
}
