import { assert } from '../../assert.js';
import { modelIn, type RateablePrice } from '../../catalog/price.js';
import { type Decimal, ZERO } from '../../money/decimal.js';
import { chargeEvenly } from '../charge-events.js';
import type { GroupUsage } from '../pool-usage.js';

/** How the quantity of a price follows from that of the meter that varies. */
export interface PricedUse {
  readonly price: RateablePrice;
  /** So much for each unit of the meter that varies; null where the quantity stays as it is. */
  readonly perUnit: Decimal | null;
  /** The quantity that stays; null where none is said. Of a fee, the units that it is owed for. */
  readonly fixed: Decimal | null;
  /** What a single event brings; null where it is not said. */
  readonly eventValue: Decimal | null;
  /** In which shares the quantity lies in groups; null where it is not told apart. They sum to 1. */
  readonly groups: readonly { readonly group: Readonly<Record<string, string>>; readonly share: Decimal }[] | null;
}

export function isFixed({ perUnit }: PricedUse): boolean {
  return perUnit === null;
}

/** The usage of a price at a quantity of the meter that varies, as rating takes it. */
export function usageAt(use: PricedUse, { quantity, currency }: { quantity: Decimal; currency: string }): GroupUsage[] {
  const total = use.perUnit === null ? use.fixed : quantity.times(use.perUnit);
  if (total === null || (total.isZero() && use.price.type === 'usage')) return [];
  const model = modelIn(use.price, currency);
  if (model.type === 'percentage') return [{ group: {}, quantity: total, charged: chargeEvenly(valueOf(use), { count: eventsIn(total, use), model }) }];
  if (use.groups === null) return [{ group: {}, quantity: total }];
  return use.groups.map(({ group, share }) => ({ group, quantity: total.times(share) }));
}

function eventsIn(total: Decimal, use: PricedUse): bigint {
  const value = valueOf(use);
  const count = total.divToInt(value);
  assert(total.eq(count.times(value)), 'Quantities of events are whole events.');
  return BigInt(count.toFixed());
}

function valueOf({ eventValue }: PricedUse): Decimal {
  assert(eventValue?.gt(ZERO) === true, 'A percentage without the value of an event is refused before.');
  return eventValue;
}
