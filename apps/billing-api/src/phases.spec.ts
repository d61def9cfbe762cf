import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { billingPeriodAt, billingPeriodContaining, boundaryFees, contains, decimal, divide, decimalOf, feeFraction, nextBoundary, sumOf, ZERO, type BillingPeriod, type BillingSchedule, type Decimal, type IdentifiedPrice } from '#domain';
import { scheduleOf, type PlanVersionOfPlan, type SubscriptionRecord } from '#persistence';
import { withPhases, type Phase, type PhaseTerms } from './phases.js';
import { withChange } from './with-change.js';

// Goal: every instant of a subscription belongs to one set of terms, whatever phases it has and wherever it is changed: its periods are
// those of the phases, one after the other, without a gap, and its fees are what they ask for. Method: random phases, some on plans that are
// billed by the week or the quarter, from random starts and anchors; then a change at a random instant, with phases of its own. The other
// side only writes the terms of each phase down as often as it has periods.

const interval = { month: 'P1M', other: 'P1M', week: 'P1W', quarter: 'P3M' } as const;
const amount = { month: '31', other: '20.01', week: '7', quarter: '90' } as const;
type Name = keyof typeof interval;

const base: Omit<SubscriptionRecord, 'startAt' | 'billingAnchor' | 'timeZone' | 'planId' | 'quantities'> = {
  id: 'sub_a', organizationId: 'org_a', customerId: 'cus_a', planVersion: 1, changes: [], addOns: [], trialDays: 0, trialEndAt: null, currency: 'USD', collection: 'automatic', daysUntilDue: null,
  cancelAt: null, cancelProrate: false, canceledAt: null, revision: 1n, createdAt: Temporal.Instant.from('2026-01-01T00:00:00Z'), metadata: {}, overrides: [], minimumCommitment: null,
};

function planOf(name: Name): PlanVersionOfPlan {
  return {
    planId: name, version: 1, organizationId: 'org_a', currency: 'USD', billingPeriod: interval[name], trialDays: 0, prices: [], entitlements: [], lateUsage: { policy: 'next_invoice' },
    createdAt: base.createdAt, planKey: name, planName: name, productId: null,
  };
}

const termsOf = ([name, seats]: readonly [Name, number]): PhaseTerms => ({ plan: planOf(name), terms: { quantities: { seats: String(seats) }, overrides: [], minimumCommitment: null } });
const told = ({ plan, terms }: PhaseTerms): string => `${plan.planId} ${terms.quantities['seats'] ?? ''}`;

const anyTerms = fc.tuple(fc.constantFrom<Name>('month', 'month', 'other', 'week', 'quarter'), fc.integer({ min: 1, max: 2 })).map(termsOf);
const anyPhases = fc.array(fc.tuple(anyTerms, fc.integer({ min: 1, max: 3 })).map(([terms, periods]): Phase => ({ ...terms, periods })), { maxLength: 3 });
const anyStart = fc.integer({ min: 0, max: 24 * 400 }).map((hours) => base.createdAt.add({ hours }));
const anyZone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York');
const anyAnchor = fc.option(fc.integer({ min: -24 * 40, max: 24 * 40 }), { nil: undefined });

/** The terms of each period, written down. */
const listed = (phases: readonly Phase[], after: PhaseTerms): string[] => [...phases.flatMap((phase) => Array.from({ length: phase.periods }, () => told(phase))), ...Array.from({ length: 12 }, () => told(after))];

const stagesOf = (subscription: SubscriptionRecord) => [subscription, ...subscription.changes];
const firstInterval = (subscription: SubscriptionRecord) => ({ billingPeriod: planOf(subscription.planId as Name).billingPeriod });
const stageTold = (subscription: SubscriptionRecord, stage: number): string => {
  const { planId, quantities } = stagesOf(subscription)[stage] ?? subscription;
  return `${planId} ${quantities['seats'] ?? ''}`;
};

/** The first periods that last at all. */
function periodsOf(schedule: BillingSchedule, count: number): BillingPeriod[] {
  const periods: BillingPeriod[] = [];
  for (let number = 1; periods.length < count; number += 1) {
    const found = billingPeriodAt(schedule, number);
    if (found !== null) periods.push(found);
  }
  return periods;
}

function feesOf(subscription: SubscriptionRecord): IdentifiedPrice[][] {
  return stagesOf(subscription).map(({ planId, quantities }) => [{
    id: 'price_seats', key: 'seats', name: 'Seats', type: 'recurring', model: { type: 'per_unit', unit_amount: amount[planId as Name] }, billedQuantity: quantities['seats'],
  }]);
}

/** What boundaries ask for until the last period, less what they give back, before rounding. */
function asked(subscription: SubscriptionRecord, { schedule, last }: { schedule: BillingSchedule; last: BillingPeriod }): Decimal {
  const terms = { stages: feesOf(subscription), currency: 'USD', timeZone: subscription.timeZone, rounding: 'half_even' as const, returnsUnused: true };
  let sum: Decimal = ZERO;
  for (let boundary = nextBoundary(schedule, 0); boundary !== null && Temporal.Instant.compare(boundary.at, last.period.end) < 0; boundary = nextBoundary(schedule, boundary.index + 1)) {
    sum = sum.plus(sumOf(boundaryFees(boundary, terms), (line) => line.unroundedAmount ?? ZERO));
  }
  return sum;
}

/** What the periods cost, each by its share of a whole one. */
function owed(subscription: SubscriptionRecord, periods: readonly BillingPeriod[]): Decimal {
  const fees = feesOf(subscription);
  return sumOf(periods, ({ stage, period, whole }) => sumOf(fees[stage] ?? [], (price) => {
    const { numerator, denominator } = feeFraction({ price, part: period, whole, timeZone: subscription.timeZone });
    const full = decimal(price.billedQuantity ?? '1').times(price.model.type === 'per_unit' ? decimal(price.model.unit_amount) : ZERO);
    return divide(full.times(decimalOf(numerator)), decimalOf(denominator));
  }));
}

const digits = decimal('0.00000000000000000001'); // Shares are quotients of 40 digits.

function holds(subscription: SubscriptionRecord, expected: readonly string[]): void {
  const schedule = scheduleOf({ subscription, plan: firstInterval(subscription) });
  const periods = periodsOf(schedule, expected.length);
  expect(periods.map(({ stage }) => stageTold(subscription, stage))).toEqual(expected);
  expect(periods[0]?.period.start.equals(subscription.startAt)).toBe(true);
  for (const [index, { period, number }] of periods.entries()) {
    if (index > 0) expect(period.start.equals(periods[index - 1]?.period.end ?? base.createdAt)).toBe(true);
    for (const instant of [period.start, period.end.subtract({ nanoseconds: 1 })]) {
      expect(billingPeriodContaining(schedule, instant)?.number).toBe(number);
      expect(periods.filter((other) => contains(other.period, instant))).toHaveLength(1);
    }
  }
  const last = periods.at(-1);
  if (last !== undefined) expect(asked(subscription, { schedule, last }).minus(owed(subscription, periods)).abs().lt(digits)).toBe(true);
}

function begun(phases: readonly Phase[], of: { after: PhaseTerms; startAt: Temporal.Instant; timeZone: string; anchorHours: number | undefined }): SubscriptionRecord {
  const { after, startAt, timeZone, anchorHours } = of;
  const first = phases[0] ?? after;
  const subscription = { ...base, startAt, timeZone, billingAnchor: anchorHours === undefined ? startAt : startAt.add({ hours: anchorHours }), planId: first.plan.planId, quantities: first.terms.quantities };
  return withPhases(subscription, { phases, after, from: startAt, firstInterval: first.plan.billingPeriod });
}

describe('phases', () => {
  it('follow one another, each for its periods, and cost what they ask for', () => {
    fc.assert(fc.property(anyPhases, anyTerms, anyStart, anyZone, anyAnchor, (phases, after, startAt, timeZone, anchorHours) => {
      holds(begun(phases, { after, startAt, timeZone, anchorHours }), listed(phases, after));
    }), { numRuns: 60 });
  });

  it('give way to those of a change, at whatever instant it comes', () => {
    fc.assert(fc.property(anyPhases, anyTerms, fc.record({ startAt: anyStart, timeZone: anyZone, anchorHours: anyAnchor }), fc.tuple(anyPhases, anyTerms), fc.tuple(fc.nat(6), fc.nat(99)), (phases, after, from, [next, last], [nth, percent]) => {
      const subscription = begun(phases, { after, ...from });
      const plan = firstInterval(subscription);
      const cut = periodsOf(scheduleOf({ subscription, plan }), nth + 1).at(-1);
      if (cut === undefined) return;
      // 0 is the very start of the period, which was billed already.
      const length = cut.period.end.epochMilliseconds - cut.period.start.epochMilliseconds;
      const now = cut.period.start.add({ milliseconds: Math.floor((length * percent) / 100) });
      const first = next[0] ?? last;
      const view = { subscription, now, plan: { ...planOf(subscription.planId as Name), prices: [], addOns: [] } };
      const changed = withChange(view, { plan: first.plan, terms: first.terms, when: 'now', isProrated: true });
      const phased = next.length === 0 ? changed : withPhases(changed, { phases: next, after: last, from: now, firstInterval: plan.billingPeriod });
      const before = listed(phases, after).slice(0, nth + 1);
      // Where nothing changes, or nothing of the period is left, it is the first of the next terms.
      const goesOn = before.at(-1) === told(first) || percent === 0;
      holds(phased, [...(goesOn ? before.slice(0, -1) : before), ...listed(next, last)].slice(0, nth + 16));
    }), { numRuns: 60 });
  });
});
