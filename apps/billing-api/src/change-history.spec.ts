import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addOnStart, billingPeriodContaining, boundaryFees, formatMinor, nextBoundary, toPlain, type AttachedAddOn, type Boundary, type FeeTerms, type IdentifiedPrice, type InvoiceLine } from '#domain';
import { scheduleOf, type AddOnVersionOfAddOn, type PlanVersionOfPlan, type SubscriptionAddOn, type SubscriptionRecord } from '#persistence';
import { runsOf } from '#testing';
import { endedBy, fittedAddOns, lastsBeyond } from './fit-add-ons.js';
import { withStep } from './act-on-add-on.js';
import { periodEndOf } from './subscription-schedule.js';
import { ChangeOracle, type PlanName, type Ratio, type Terms } from './testing/change-oracle.js';
import { withChange } from './with-change.js';

// Goal: whatever is made of a subscription, each stretch of its time is billed once, and each document is what the schedule makes of it for ever. Method: random
// histories of changes, add-ons and cancellations, often at the very instant of a boundary, billed as the sweep does, now and then late. The other side is a
// machine of few states in exact fractions that knows no schedule, no stages and no numbers of periods: it walks from boundary to boundary and notes what is asked.

const base: Omit<SubscriptionRecord, 'startAt' | 'billingAnchor' | 'trialEndAt' | 'timeZone' | 'planId' | 'quantities'> = {
  id: 'sub_a', organizationId: 'org_a', customerId: 'cus_a', planVersion: 1, changes: [], addOns: [], trialDays: 0, currency: 'USD', collection: 'automatic', daysUntilDue: null,
  cancelAt: null, cancelProrate: false, canceledAt: null, revision: 1n, createdAt: Temporal.Instant.from('2026-01-01T00:00:00Z'), metadata: {}, overrides: [], minimumCommitment: null,
};

const intervals: Record<PlanName, string> = { small: 'P1M', large: 'P1M', plain: 'P1M', quarter: 'P3M', week: 'P1W', bare: 'P1M' };
const price = (id: string, more: Partial<IdentifiedPrice> & Pick<IdentifiedPrice, 'model'>): IdentifiedPrice => ({ id, key: id, name: id, type: 'recurring', ...more });
const flat = (amount: string) => ({ type: 'flat' as const, amount });
const each = (unit_amount: string) => ({ type: 'per_unit' as const, unit_amount });

/** The same as the oracle's table, as a catalog has it. */
const plans: Record<PlanName, readonly IdentifiedPrice[]> = {
  small: [price('seats', { model: each('31') }), price('support', { model: flat('10'), pay: 'in_arrears' }), price('setup', { model: flat('99'), type: 'one_time' })],
  large: [price('seats', { model: each('62.5'), prorate: 'day' }), price('listing', { model: flat('5'), prorate: 'none' }), price('setup', { model: flat('50'), type: 'one_time' })],
  plain: [price('support', { model: flat('20'), pay: 'in_arrears', prorate: 'day' }), price('audit', { model: flat('7'), pay: 'in_arrears', prorate: 'none' })],
  quarter: [price('seats', { model: each('150') })],
  week: [price('seats', { model: each('9') }), price('setup', { model: flat('4'), type: 'one_time' })],
  bare: [price('seats', { model: each('20') })],
};
const addOnPrices = [price('boost', { model: each('30') }), price('help', { model: each('6'), pay: 'in_arrears' }), price('deck', { model: each('9'), type: 'one_time' }), price('badge', { model: each('5'), prorate: 'none' })];

const addOnVersion: AddOnVersionOfAddOn = {
  addOnId: 'add_a', addOnKey: 'boost', version: 1, organizationId: 'org_a', name: 'Boost', currency: 'USD', billingPeriod: 'P1M', prices: [], plans: ['small', 'large', 'plain'], requires: [], maxQuantity: null,
  createdAt: base.createdAt,
};

const planOf = (name: PlanName): PlanVersionOfPlan => ({
  planId: name, version: 1, organizationId: 'org_a', currency: 'USD', billingPeriod: intervals[name], trialDays: 0, prices: [], entitlements: [], lateUsage: { policy: 'next_invoice' },
  createdAt: base.createdAt, planKey: name, planName: name, productId: null,
});

interface Act {
  readonly wait: number | 'boundary';
  /** Whether the sweep runs before what is made. */
  readonly isSwept: boolean;
  readonly what: { type: 'change'; terms: Terms } | { type: 'cancel' } | { type: 'add' | 'quantity'; quantity: number } | { type: 'remove' };
  readonly when: 'now' | 'period_end';
  readonly isProrated: boolean;
}

const terms = (names: readonly PlanName[]): fc.Arbitrary<Terms> => fc.record({ plan: fc.constantFrom(...names), seats: fc.integer({ min: 1, max: 3 }) });
const act = (names: readonly PlanName[], hasAddOns: boolean): fc.Arbitrary<Act> => fc.record({
  wait: fc.oneof(fc.constant(0), fc.constant('boundary' as const), fc.integer({ min: 0, max: 24 * 45 })),
  isSwept: fc.boolean(),
  when: fc.constantFrom('now', 'now', 'period_end'),
  isProrated: fc.boolean(),
  what: fc.oneof(
    { weight: 6, arbitrary: terms(names).map((next) => ({ type: 'change' as const, terms: next })) },
    { weight: hasAddOns ? 6 : 0, arbitrary: fc.record({ type: fc.constantFrom('add', 'quantity', 'quantity'), quantity: fc.integer({ min: 1, max: 3 }) }) },
    { weight: hasAddOns ? 2 : 0, arbitrary: fc.constant({ type: 'remove' as const }) },
    { weight: 1, arbitrary: fc.constant({ type: 'cancel' as const }) },
  ),
});

interface Beginning {
  readonly terms: Terms;
  readonly startHours: number;
  readonly anchorHours: number | null;
  readonly trialDays: number;
  readonly timeZone: string;
}
const beginning = (names: readonly PlanName[]): fc.Arbitrary<Beginning> => fc.record({
  terms: terms(names), startHours: fc.oneof(fc.constant(0), fc.integer({ min: -24 * 70, max: 24 * 20 })), anchorHours: fc.option(fc.integer({ min: -24 * 40, max: 24 * 40 })),
  trialDays: fc.constantFrom(0, 0, 10), timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York'),
});

interface Document {
  readonly boundary: Boundary;
  readonly lines: readonly InvoiceLine[];
}

/** A subscription, acted on as the use cases do and billed as the sweep does. */
class History {
  readonly documents: Document[] = [];
  now = base.createdAt;
  subscription: SubscriptionRecord;
  private addOns: SubscriptionAddOn[] = [];
  private addOnCount = 0;
  private nextIndex = 0;
  private isOver = false;
  private readonly firstInterval: string;

  constructor(begins: Beginning, startAt: Temporal.Instant) {
    const { timeZone, trialDays, anchorHours, terms: { plan, seats } } = begins;
    const trialEndAt = trialDays === 0 ? null : startAt.toZonedDateTimeISO(timeZone).add({ days: trialDays }).toInstant();
    const billingAnchor = anchorHours === null ? (trialEndAt ?? startAt) : startAt.add({ hours: anchorHours });
    this.subscription = { ...base, startAt, trialEndAt, trialDays, billingAnchor, timeZone, planId: plan, quantities: { seats: String(seats) } };
    this.firstInterval = intervals[plan];
  }

  get plan() {
    return { ...planOf(this.subscription.planId as PlanName), addOns: [] };
  }

  get schedule() {
    return scheduleOf({ subscription: this.subscription, plan: { billingPeriod: this.firstInterval } });
  }

  private get feeTerms(): FeeTerms {
    const { currency, timeZone, cancelProrate: returnsUnused, changes } = this.subscription;
    const stages = [this.subscription, ...changes].map(({ planId, quantities }) => plans[planId as PlanName].map((one) => (one.key === 'seats' ? { ...one, billedQuantity: quantities['seats'] } : one)));
    const addOns = this.addOns.map((addOn): AttachedAddOn => ({ ...addOn, prices: addOnPrices.map((one) => ({ ...one, id: `${one.id}_${addOn.id}` })) }));
    return { stages, addOns, currency, timeZone, rounding: 'half_even', returnsUnused };
  }

  sweep(): void {
    while (!this.isOver) {
      const boundary = nextBoundary(this.schedule, this.nextIndex);
      if (boundary === null) this.isOver = true;
      if (boundary === null || Temporal.Instant.compare(boundary.at, this.now) > 0) return;
      this.documents.push({ boundary, lines: boundaryFees(boundary, this.feeTerms) });
      this.nextIndex = boundary.index + 1;
      this.isOver = boundary.isLast;
    }
  }

  /** A document as it is made again at the end: a cancellation at its very instant came after it. */
  remade({ boundary }: Document): readonly InvoiceLine[] {
    const { schedule } = this;
    const came = !boundary.isLast && schedule.endAt?.equals(boundary.at) === true;
    const again = nextBoundary(came ? { ...schedule, endAt: null } : schedule, boundary.index);
    return again === null ? [] : boundaryFees(again, this.feeTerms);
  }

  change({ terms: { plan, seats }, when, isProrated }: Pick<Act, 'when' | 'isProrated'> & { terms: Terms }): void {
    const next = { plan: planOf(plan), terms: { quantities: { seats: String(seats) }, overrides: [], minimumCommitment: null } };
    this.subscription = withChange({ subscription: this.subscription, plan: this.plan, now: this.now }, { ...next, isProrated, when: when === 'now' ? 'now' : this.now });
    const subscription = { ...this.subscription, addOns: this.addOns };
    const of = this.addOns.map(({ id, steps, end }) => ({ id, steps, end, prices: [], of: addOnVersion }));
    const stages = [subscription, ...subscription.changes].map(({ planId }) => ({ ...planOf(planId as PlanName), addOns: of }));
    this.addOns = [...fittedAddOns({ subscription, stages, plan: { ...this.plan, addOns: of }, now: this.now })];
  }

  cancel({ when, isProrated }: Pick<Act, 'when' | 'isProrated'>): void {
    const cancelAt = when === 'now' ? this.now : periodEndOf(this.subscription, this.plan, this.now);
    this.subscription = { ...this.subscription, cancelAt, cancelProrate: isProrated, canceledAt: this.now };
  }

  add({ quantity, when, isProrated }: Pick<Act, 'when' | 'isProrated'> & { quantity: number }): void {
    const first = this.subscription.trialEndAt ?? this.subscription.startAt;
    const atEnd = { at: periodEndOf(this.subscription, this.plan, this.now), isImmediate: false, isProrated: true };
    const isBefore = Temporal.Instant.compare(this.now, first) < 0;
    const step = when === 'period_end' ? atEnd : isBefore ? { at: first, isImmediate: false, isProrated: true } : { at: this.now, isImmediate: true, isProrated };
    this.addOnCount += 1;
    this.addOns.push({ id: `sao_${this.addOnCount}`, addOnId: 'add_a', version: 1, steps: [{ ...step, quantity: String(quantity) }], end: null });
  }

  get present(): SubscriptionAddOn | undefined {
    return this.addOns.find((addOn) => lastsBeyond(addOn, this.now));
  }

  setQuantity({ quantity, when, isProrated }: Pick<Act, 'when' | 'isProrated'> & { quantity: number }): void {
    const { present, now, subscription, plan } = this;
    if (present === undefined) return;
    const past = present.steps.filter((step, index) => index === 0 || Temporal.Instant.compare(step.at, now) <= 0);
    this.replace(present, { ...present, end: present.end?.isByChange === true ? present.end : null, steps: withStep(past, { view: { subscription, plan, now }, input: { quantity: String(quantity), when, isProrated, isPreview: false } }) });
  }

  remove({ when, isProrated }: Pick<Act, 'when' | 'isProrated'>): void {
    const { present, now } = this;
    if (present === undefined) return;
    const end = { at: when === 'now' ? now : periodEndOf(this.subscription, this.plan, now), isImmediate: when === 'now', isProrated, isByChange: false };
    const ended = Temporal.Instant.compare(addOnStart(present), now) > 0 ? null : endedBy({ ...present, end: null }, end);
    this.replace(present, ended);
  }

  private replace(old: SubscriptionAddOn, by: SubscriptionAddOn | null): void {
    this.addOns = this.addOns.flatMap((addOn) => (addOn !== old ? [addOn] : by === null ? [] : [by]));
  }
}

/** Both sides go through the same acts. */
function live(begins: Beginning, acts: readonly Act[]): { history: History; oracle: ChangeOracle } {
  const startAt = base.createdAt.add({ hours: begins.startHours });
  const history = new History(begins, startAt);
  const oracle = new ChangeOracle({ ...begins, startAt, trialEndAt: history.subscription.trialEndAt, anchor: history.subscription.billingAnchor });
  for (const one of acts) {
    const { wait, what, isSwept } = one;
    const period = billingPeriodContaining({ ...history.schedule, endAt: null }, history.now);
    history.now = wait !== 'boundary' ? history.now.add({ hours: wait }) : (period?.period.end ?? history.schedule.firstStart);
    // Whether a cancellation at the very instant of a boundary came before or after it is told by the sweep.
    if (isSwept || what.type === 'cancel') history.sweep();
    oracle.runTo(history.now);
    if (history.subscription.cancelAt !== null && Temporal.Instant.compare(history.subscription.cancelAt, history.now) <= 0) break;
    if (what.type === 'change') [history, oracle].forEach((side) => side.change({ ...one, terms: what.terms }));
    if (what.type === 'cancel') [history, oracle].forEach((side) => side.cancel(one));
    if (what.type === 'remove' && history.present !== undefined) [history, oracle].forEach((side) => side.remove(one));
    // What comes with a plan that takes no add-ons, or after it, is refused.
    if (what.type === 'quantity' && history.present !== undefined && !oracle.losesAddOns) [history, oracle].forEach((side) => side.setQuantity({ ...one, quantity: what.quantity }));
    if (what.type === 'add' && history.present === undefined && oracle.takesAddOns) [history, oracle].forEach((side) => side.add({ ...one, quantity: what.quantity }));
  }
  history.now = history.now.add({ hours: 24 * 130 });
  history.sweep();
  oracle.runTo(history.now);
  return { history, oracle };
}

const digitsMax = 25; // Shares are quotients of 40 digits; sums of fewer than a thousand lines keep 25 places.

function billed(documents: readonly Document[]): Record<string, string> {
  const sums = new Map<string, Ratio>();
  for (const { boundary, lines } of documents) for (const line of lines) sums.set(boundary.at.toString(), plus(sums.get(boundary.at.toString()), read(toPlain(line.unroundedAmount ?? expect.unreachable()))));
  return texts(sums);
}

function read(text: string): Ratio {
  const [before = '0', after = ''] = text.split('.');
  return { n: BigInt(before + after), d: 10n ** BigInt(after.length) };
}

function plus(a: Ratio = { n: 0n, d: 1n }, b: Ratio): Ratio {
  return { n: a.n * b.d + b.n * a.d, d: a.d * b.d };
}

/** By instant, to 25 places; nothing is left out. */
function texts(sums: ReadonlyMap<string, Ratio>): Record<string, string> {
  const scale = 10n ** BigInt(digitsMax);
  const told = [...sums].map(([at, { n, d }]): [string, bigint] => [at, (2n * n * scale + (n < 0n ? -d : d)) / (2n * d)]);
  return Object.fromEntries(told.filter(([, scaled]) => scaled !== 0n).toSorted(([a], [b]) => a.localeCompare(b)).map(([at, scaled]) => [at, scaled.toString()]));
}

function holds(begins: Beginning, acts: readonly Act[]): void {
  const { history, oracle } = live(begins, acts);
  expect(billed(history.documents)).toEqual(texts(oracle.asked));
  for (const document of history.documents) {
    const shown = (lines: readonly InvoiceLine[]) => lines.map(({ ref, amountMinor }) => `${ref} ${amountMinor}`);
    expect(shown(history.remade(document))).toEqual(shown(document.lines));
    expect(new Set(document.lines.map(({ ref }) => ref)).size).toBe(document.lines.length);
    for (const { kind, amountMinor } of document.lines) if (amountMinor < 0n) expect(kind).toBe('proration');
  }
}

const changes: readonly PlanName[] = ['small', 'large', 'plain', 'quarter', 'week'];
const withAddOns: readonly PlanName[] = ['small', 'large', 'plain', 'bare', 'week'];

it('bills each stretch of time once through any changes of the plan', () => {
  fc.assert(fc.property(beginning(changes), fc.array(act(changes, false), { maxLength: 7 }), holds), { numRuns: runsOf({ short: 120, long: 8_000 }) });
}, 600_000);

it('bills each stretch of time once through any changes of the plan and of add-ons', () => {
  fc.assert(fc.property(beginning(withAddOns), fc.array(act(withAddOns, true), { maxLength: 9 }), holds), { numRuns: runsOf({ short: 120, long: 8_000 }) });
}, 600_000);

const begins: Beginning = { terms: { plan: 'small', seats: 1 }, startHours: 0, anchorHours: 0, trialDays: 0, timeZone: 'UTC' };
const made = (what: Act['what'], more: Partial<Act> = {}): Act => ({ wait: 0, isSwept: true, when: 'now', isProrated: true, what, ...more });

/** What the first documents come to: "day amount". */
function first(count: number, acts: readonly Act[], from: Beginning = begins): string[] {
  const { history } = live(from, acts);
  return history.documents.slice(0, count).map(({ boundary, lines }) => `${boundary.at.toString().slice(5, 10)} ${formatMinor(lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0n), 'USD')}`);
}

// What random histories found. January 1: 99.00 once and a seat of 31.00. From then on support is 10.00 a month in arrears; one add-on is 30.00 and a badge of 5.00 in
// advance, 6.00 in arrears and 9.00 once.
it('asks for the units that an add-on gets at the very instant for which it was set', () => {
  // February 1: 10 + 31 + 30 + 5 + 9. March 1: 10 + 31, for February 3 × 6 in arrears and 3 × 30 in place of 30, for March 3 × 30 and 3 × 5.
  const acts = [made({ type: 'add', quantity: 1 }, { when: 'period_end' }), made({ type: 'quantity', quantity: 3 }, { wait: 'boundary' })];
  expect(first(3, acts)).toEqual(['01-01 130.00', '02-01 85.00', '03-01 224.00']);
});

it('gives back what an add-on was billed for, where it goes at the very instant for which it was set', () => {
  // March 1: 10 + 31 - 30; a badge is not prorated.
  const acts = [made({ type: 'add', quantity: 1 }, { when: 'period_end' }), made({ type: 'remove' }, { wait: 'boundary' })];
  expect(first(4, acts)).toEqual(['01-01 130.00', '02-01 85.00', '03-01 11.00', '04-01 41.00']);
});

it('bills an add-on once that begins with a stub at whose very start the plan changes', () => {
  // A trial of 10 days; 21 of 31 days are left of January: 21.00 + 20.32 + 5 + 9, of which the seat's are given back. For the plan that follows 20.00 × 21 / 31 = 13.55
  // and 7.00 in arrears, for the add-on 6.00 × 21 / 31 = 4.06, 30 and 5.
  const acts = [made({ type: 'add', quantity: 1 }), made({ type: 'change', terms: { plan: 'plain', seats: 1 } }, { wait: 'boundary' })];
  expect(first(4, acts, { ...begins, trialDays: 10 })).toEqual(['01-01 99.00', '01-11 55.32', '01-11 -21.00', '02-01 59.61']);
});

it('takes the proration of the last of two changes of an add-on at one instant', () => {
  // On February 10 four with proration, then three without: those are billed from March on.
  const acts = [
    made({ type: 'add', quantity: 2 }, { when: 'period_end' }), made({ type: 'quantity', quantity: 4 }, { wait: 24 * 40 }), made({ type: 'quantity', quantity: 3 }, { isProrated: false }),
  ];
  // February 1: 10 + 31 + 2 × (30 + 5 + 9). March 1: 10 + 31 + 3 × 35, and 6.00 × (2 × 9 + 3 × 19) / 28 in arrears, which are 3.86 and 12.21.
  expect(first(3, acts)).toEqual(['01-01 130.00', '02-01 129.00', '03-01 162.07']);
});

// One add-on from February 1: 31.00 of the plan, 10 of support for January, 30 + 5 + 9 of the add-on. Right after that the plan changes to one that it does not fit.
const leaves = (more: Partial<Act> = {}) => [made({ type: 'add', quantity: 1 }, { when: 'period_end' }), made({ type: 'change', terms: { plan: 'bare', seats: 1 } }, { wait: 'boundary', ...more })];

it('gives back what an add-on was billed for a moment before the plan changed to one that it does not fit', () => {
  // February 1: back 31 of the seat and 30 of the add-on, 20 of the plan that follows. A badge is not prorated, what is owed once stays.
  expect(first(4, leaves())).toEqual(['01-01 130.00', '02-01 85.00', '02-01 -41.00', '03-01 20.00']);
  expect(first(4, leaves({ isSwept: false }))).toEqual(['01-01 130.00', '02-01 85.00', '02-01 -41.00', '03-01 20.00']);
});

it('lets stand what an add-on was billed for, where that change is not prorated', () => {
  // The sweep comes after the change, and bills what it would have billed before it.
  expect(first(3, leaves({ isProrated: false, isSwept: false }))).toEqual(['01-01 130.00', '02-01 85.00', '03-01 20.00']);
});

it('gives back once what is left of an add-on where another change follows at the very instant', () => {
  // February 15, 14 of 28 days are left: back 31 / 2 and 30 / 2, 20 / 2 of the plan that follows, 10 / 2 of support and 6 / 2 of the add-on in arrears; then that 20 / 2 back, and 31 / 2.
  const again = made({ type: 'change', terms: { plan: 'small', seats: 1 } });
  const acts = [made({ type: 'add', quantity: 1 }, { when: 'period_end' }), made({ type: 'change', terms: { plan: 'bare', seats: 1 } }, { wait: 24 * 45 }), again];
  // March 1: 31, and 10 / 2 of support.
  expect(first(5, acts)).toEqual(['01-01 130.00', '02-01 85.00', '02-15 -12.50', '02-15 5.50', '03-01 36.00']);
});
