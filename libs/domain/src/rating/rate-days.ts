import { assert } from '../assert.js';
import { payTime, type RateablePrice } from '../catalog/price.js';
import { type Decimal, sumOf, ZERO } from '../money/decimal.js';
import type { Rounding } from '../money/minor-units.js';
import type { Fraction } from '../period/proration-fraction.js';
import type { GroupUsage } from './pool-usage.js';
import { poolUsage } from './pool-usage.js';
import { bucketDayAmounts } from './rate-bucket-days.js';
import { rateAmountMinor } from './rate-price.js';
import type { UsageAround } from './usage-around.js';

/** The usage of a period from its start, or since its tiers began to count, until the end of one of its local days. */
export interface DayUsage {
  /** YYYY-MM-DD in the customer's zone. */
  readonly day: string;
  readonly cumulative: readonly GroupUsage[];
}

export interface RateDaysInput {
  readonly price: RateablePrice;
  readonly currency: string;
  readonly rounding: Rounding;
  /** Every local day of the period so far, from its first, those without usage too. */
  readonly days: readonly DayUsage[];
  /** True once the period is over: then the last of `days` is the period's last. */
  readonly over: boolean;
  readonly fraction?: Fraction | undefined;
  readonly around?: UsageAround | undefined;
}

export interface RatedDay {
  readonly day: string;
  /** What the day added; negative where corrections outweigh it. */
  readonly quantity: Decimal;
  /** What the day added, rounded; negative where more usage costs less (volume). */
  readonly amountMinor: bigint;
}

/**
 * A price's amount by local day. With R the posted amount of the period so far without its minimum and credit, a day of a usage price
 * has R(until its end) − R(until its start), and R is 0 before the first day: so a flat part owed at quantity 0 stands on
 * the first day. What the minimum adds, and a credit for bad service takes off, stands on the last day once the period is over. A fee
 * in advance stands on the first day, one in arrears on the last once over. The days of a period that is over sum to its posted amount
 * exactly.
 */
export function rateDays(input: RateDaysInput): RatedDay[] {
  if (input.days.length === 0) return [];
  const rated = input.price.type === 'usage' ? usageDays(input) : feeDays(input);
  if (input.over) {
    const total = rateAmountMinor({ ...input, usage: feeOrUsage(input) });
    assert(rated.reduce((sum, day) => sum + day.amountMinor, 0n) === total, 'The days of a period must sum to its posted amount.');
  }
  return rated;
}

function usageDays(input: RateDaysInput): RatedDay[] {
  const { minimum_amount: minimum, sla_credit: credit, ...daily } = input.price;
  const hasLastDayParts = minimum !== undefined || credit !== undefined; // What both come to is known on the last day only.
  const goingOn = input.price.bucket === undefined ? null : bucketDayAmounts({ ...input, price: daily }, input.days.map(({ cumulative }) => cumulative));
  let reachedMinor = 0n;
  // Usage that counts on from earlier periods is no day's of this one.
  let reachedQuantity = input.price.tier_period === undefined ? ZERO : sumOf(input.around?.tierCount?.before ?? [], (entry) => entry.quantity);
  return input.days.map((day, index) => {
    const isLast = input.over && index === input.days.length - 1 && hasLastDayParts;
    const before = input.days[index - 1];
    // On most days of most prices nothing is used, and what is rated again comes to the same.
    const isUnchanged = !isLast && before !== undefined && isSameUsage(before.cumulative, day.cumulative);
    const soFar = isLast ? undefined : isUnchanged ? reachedMinor : goingOn?.[index];
    const minor = soFar ?? rateAmountMinor({ ...input, price: isLast ? input.price : daily, usage: day.cumulative });
    const quantity = sumOf(day.cumulative, (entry) => entry.quantity);
    const added = { day: day.day, quantity: quantity.minus(reachedQuantity), amountMinor: minor - reachedMinor };
    reachedMinor = minor;
    reachedQuantity = quantity;
    return added;
  });
}

/** Whether two usages are certainly the same; of several groups that is not looked for. */
function isSameUsage(a: readonly GroupUsage[], b: readonly GroupUsage[]): boolean {
  const [one] = a;
  const [other] = b;
  if (a.length !== b.length || a.length > 1) return false;
  return one === undefined || other === undefined || (isPlain(one) && isPlain(other) && one.quantity.eq(other.quantity));
}

/** A quantity of all usage, and nothing beside it. */
function isPlain(usage: GroupUsage): boolean {
  return usage.bucket === undefined && usage.charged === undefined && usage.stated === undefined && Object.keys(usage.group).length === 0;
}

function feeDays(input: RateDaysInput): RatedDay[] {
  const inArrears = payTime(input.price) === 'in_arrears';
  const feeIndex = inArrears ? (input.over ? input.days.length - 1 : -1) : 0;
  const usage = feeOrUsage(input);
  return input.days.map(({ day }, index) => {
    if (index !== feeIndex) return { day, quantity: ZERO, amountMinor: 0n };
    const quantity = sumOf(poolUsage(input.price, usage), (pool) => pool.quantity);
    return { day, quantity, amountMinor: rateAmountMinor({ ...input, usage }) };
  });
}

/** Usage is rated as it was at the end; a fee's quantity is the one it was owed for: at the start in advance, at the end in arrears. */
function feeOrUsage(input: RateDaysInput): readonly GroupUsage[] {
  const atStart = input.price.type !== 'usage' && payTime(input.price) === 'in_advance';
  return input.days.at(atStart ? 0 : -1)?.cumulative ?? [];
}
