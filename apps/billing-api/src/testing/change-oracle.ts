/** n / d, d above 0. */
export interface Ratio {
  readonly n: bigint;
  readonly d: bigint;
}

export type PlanName = 'small' | 'large' | 'plain' | 'quarter' | 'week' | 'bare';

export interface Terms {
  readonly plan: PlanName;
  readonly seats: number;
}

interface Wanted {
  readonly when: 'now' | 'period_end';
  readonly isProrated: boolean;
}

interface Fee {
  readonly pay: 'advance' | 'arrears' | 'once';
  /** Of one unit, in hundredths. */
  readonly cents: bigint;
  readonly perUnit: boolean;
  readonly unit: 'second' | 'day' | 'none';
}

const fee = (pay: Fee['pay'], cents: bigint, more: Partial<Fee> = {}): Fee => ({ pay, cents, perUnit: false, unit: 'second', ...more });
const seats = { perUnit: true };

const fees: Record<PlanName, { every: { months: number } | { weeks: number }; fees: readonly Fee[] }> = {
  small: { every: { months: 1 }, fees: [fee('advance', 3_100n, seats), fee('arrears', 1_000n), fee('once', 9_900n)] },
  large: { every: { months: 1 }, fees: [fee('advance', 6_250n, { perUnit: true, unit: 'day' }), fee('advance', 500n, { unit: 'none' }), fee('once', 5_000n)] },
  plain: { every: { months: 1 }, fees: [fee('arrears', 2_000n, { unit: 'day' }), fee('arrears', 700n, { unit: 'none' })] },
  quarter: { every: { months: 3 }, fees: [fee('advance', 15_000n, seats)] },
  week: { every: { weeks: 1 }, fees: [fee('advance', 900n, seats), fee('once', 400n)] },
  bare: { every: { months: 1 }, fees: [fee('advance', 2_000n, seats)] },
};
const addOnFees: readonly Fee[] = [fee('advance', 3_000n, seats), fee('arrears', 600n, seats), fee('once', 900n, seats), fee('advance', 500n, { perUnit: true, unit: 'none' })];

const fitting: ReadonlySet<PlanName> = new Set(['small', 'large', 'plain']);

interface Span {
  readonly start: Temporal.Instant;
  readonly end: Temporal.Instant;
}

interface AddOn {
  /** What it is had for, and what fees in advance are billed for; null for none. */
  had: number | null;
  billed: number | null;
  hasBegun: boolean;
  /** Since when `had` holds and no arrears are noted. */
  since: Temporal.Instant;
  arrears: Ratio;
  /** What comes where the period ends: a quantity, or null for its end. */
  next: { quantity: number | null; isAtFirstStart: boolean } | null;
  /** To be asked for at the next boundary; void where another step or an end comes at the very same instant. */
  open: { at: Temporal.Instant; amount: Ratio; before: Pick<AddOn, 'had' | 'billed' | 'hasBegun'> }[];
}

export interface OracleBeginning {
  readonly terms: Terms;
  readonly startAt: Temporal.Instant;
  readonly trialEndAt: Temporal.Instant | null;
  readonly anchor: Temporal.Instant;
  readonly timeZone: string;
}

const zero: Ratio = { n: 0n, d: 1n };
const plus = (a: Ratio, b: Ratio): Ratio => ({ n: a.n * b.d + b.n * a.d, d: a.d * b.d });
const minus = (a: Ratio, b: Ratio): Ratio => plus(a, { n: -b.n, d: b.d });
const isBefore = (a: Temporal.Instant, b: Temporal.Instant): boolean => Temporal.Instant.compare(a, b) < 0;

/** What a subscription is asked for, by instant: it goes from boundary to boundary, and its fees in advance cover the time until the next. */
export class ChangeOracle {
  readonly asked = new Map<string, Ratio>();
  private terms: Terms;
  private anchor: Temporal.Instant;
  private readonly firstStart: Temporal.Instant;
  private hasStarted = false;
  /** Null until the first period begins. */
  private whole: Span | null = null;
  /** Since when the present terms hold within `whole`. */
  private since: Temporal.Instant;
  /** Whose fees in advance are billed until the end of `whole`. */
  private cover: Terms;
  private next: { terms: Terms; isAtFirstStart: boolean } | null = null;
  private canceled: { at: Temporal.Instant; isProrated: boolean } | null = null;
  private isOver = false;
  private addOns: AddOn[] = [];
  private now: Temporal.Instant;

  constructor(private readonly begins: OracleBeginning) {
    this.terms = begins.terms;
    this.cover = begins.terms;
    this.anchor = begins.anchor;
    this.firstStart = begins.trialEndAt ?? begins.startAt;
    this.since = this.firstStart;
    this.now = this.firstStart;
  }

  runTo(instant: Temporal.Instant): void {
    this.now = instant;
    while (!this.isOver) {
      const next = !this.hasStarted ? this.begins.startAt : this.whole === null ? this.firstStart : this.whole.end;
      const end = this.canceled?.at ?? null;
      if (end !== null && !isBefore(next, end)) {
        if (isBefore(instant, end)) return;
        this.finish(end);
      } else if (isBefore(instant, next)) return;
      else if (!this.hasStarted) this.start(next);
      else this.beginWhole(next);
    }
  }

  change(to: Wanted & { terms: Terms }): void {
    const { terms, when, isProrated } = to;
    const { whole } = this;
    this.next = null;
    if (terms.plan === this.terms.plan && terms.seats === this.terms.seats) return;
    if (whole !== null && when === 'now') this.askArrears(this.now);
    if (!fitting.has(terms.plan)) this.endAddOns(to);
    if (when === 'period_end') {
      this.next = { terms, isAtFirstStart: whole === null && this.begins.trialEndAt !== null };
      return;
    }
    const now = this.now;
    if (whole === null) {
      this.takeTerms(terms, this.firstStart);
      return;
    }
    const goesOn = this.takeTerms(terms, now);
    const rest = { start: now, end: whole.end };
    if (isProrated) this.ask(now, minus(zero, this.advance(this.cover, { part: rest, whole, isUnused: true })));
    if (!goesOn) {
      this.whole = this.wholeAt(now);
      this.ask(now, this.advance(terms, { part: this.whole, whole: this.whole }));
    } else if (isProrated) this.ask(now, this.advance(terms, { part: rest, whole }));
    if (isProrated || !goesOn) this.cover = terms;
    this.since = now;
  }

  cancel({ when, isProrated }: Wanted): void {
    this.canceled = { at: when === 'now' ? this.now : this.periodEnd(), isProrated };
    this.runTo(this.now);
  }

  add({ quantity, when, isProrated }: Wanted & { quantity: number }): void {
    const addOn: AddOn = { had: null, billed: null, hasBegun: false, since: this.now, arrears: zero, next: null, open: [] };
    this.addOns.push(addOn);
    if (when === 'now' && this.whole !== null) return this.stepNow(addOn, { quantity, isProrated });
    addOn.next = { quantity, isAtFirstStart: this.whole === null && (when === 'now' || this.begins.trialEndAt !== null) };
  }

  setQuantity({ quantity, when, isProrated }: Wanted & { quantity: number }): void {
    const addOn = this.present;
    if (addOn === undefined) return;
    if (!addOn.hasBegun && addOn.next !== null) {
      addOn.next = { ...addOn.next, quantity };
      return;
    }
    addOn.next = null;
    if (when === 'now') return this.stepNow(addOn, { quantity, isProrated });
    if (addOn.had !== quantity) addOn.next = { quantity, isAtFirstStart: false };
  }

  remove({ when, isProrated }: Wanted): void {
    const addOn = this.present;
    if (addOn === undefined) return;
    if (!addOn.hasBegun) this.addOns = this.addOns.filter((one) => one !== addOn);
    else if (when === 'period_end') addOn.next = { quantity: null, isAtFirstStart: false };
    else {
      addOn.next = null;
      this.stepNow(addOn, { quantity: null, isProrated });
    }
  }

  /** Whether the plan that it has, and the one that it goes to, take add-ons. */
  get takesAddOns(): boolean {
    return fitting.has(this.terms.plan) && !this.losesAddOns;
  }

  /** Whether it goes to a plan that takes none. */
  get losesAddOns(): boolean {
    return this.next !== null && !fitting.has(this.next.terms.plan);
  }

  private get present(): AddOn | undefined {
    return this.addOns.findLast(({ had, hasBegun }) => had !== null || !hasBegun);
  }

  private start(at: Temporal.Instant): void {
    this.hasStarted = true;
    this.ask(at, this.total(fees[this.terms.plan].fees, { pay: 'once', units: this.terms.seats }));
  }

  private beginWhole(at: Temporal.Instant): void {
    const isFirst = this.whole === null;
    if (!isFirst) this.askArrears(at);
    if (this.next !== null && (!isFirst || this.next.isAtFirstStart)) {
      this.takeTerms(this.next.terms, at);
      this.next = null;
      if (!fitting.has(this.terms.plan)) for (const addOn of this.addOns) Object.assign(addOn, { had: null, billed: null, next: null });
    }
    const whole = this.wholeAt(at);
    this.whole = whole;
    const part = { start: at, end: whole.end };
    this.ask(at, this.advance(this.terms, { part, whole }));
    this.cover = this.terms;
    this.since = at;
    for (const addOn of this.addOns) {
      if (addOn.next !== null && (!isFirst || addOn.next.isAtFirstStart)) {
        if (!addOn.hasBegun && addOn.next.quantity !== null) this.ask(at, this.total(addOnFees, { pay: 'once', units: addOn.next.quantity }));
        Object.assign(addOn, { had: addOn.next.quantity, hasBegun: true, next: null });
      }
      addOn.billed = addOn.had;
      addOn.since = at;
      if (addOn.had !== null) this.ask(at, this.total(addOnFees, { pay: 'advance', units: addOn.had, part, whole }));
    }
  }

  private finish(at: Temporal.Instant): void {
    this.isOver = true;
    const { whole } = this;
    if (whole === null) return;
    this.askArrears(at);
    for (const addOn of this.addOns) this.undo(addOn, at);
    if (this.canceled?.isProrated !== true) return;
    const rest = { part: { start: at, end: whole.end }, whole, isUnused: true };
    this.ask(at, minus(zero, this.advance(this.cover, rest)));
    for (const { billed } of this.addOns) if (billed !== null) this.ask(at, minus(zero, this.total(addOnFees, { pay: 'advance', units: billed, ...rest })));
  }

  /** Whatever is owed for the time that ends here. */
  private askArrears(at: Temporal.Instant): void {
    const { whole } = this;
    if (whole === null) return;
    if (isBefore(this.since, at)) this.ask(at, this.total(fees[this.terms.plan].fees, { pay: 'arrears', units: this.terms.seats, part: { start: this.since, end: at }, whole }));
    for (const addOn of this.addOns) {
      this.noteArrears(addOn, at);
      this.ask(at, addOn.arrears);
      addOn.arrears = zero;
      for (const { at: made, amount } of addOn.open) if (isBefore(made, at)) this.ask(at, amount);
      addOn.open = addOn.open.filter(({ at: made }) => !isBefore(made, at));
    }
  }

  private noteArrears(addOn: AddOn, at: Temporal.Instant): void {
    if (addOn.had !== null && this.whole !== null) addOn.arrears = plus(addOn.arrears, this.total(addOnFees, { pay: 'arrears', units: addOn.had, part: { start: addOn.since, end: at }, whole: this.whole }));
    addOn.since = at;
  }

  /** Takes back what was made of an add-on at this very instant; whether there was anything. */
  private undo(addOn: AddOn, at: Temporal.Instant): boolean {
    const [made] = addOn.open.filter((one) => one.at.equals(at));
    if (made === undefined) return false;
    Object.assign(addOn, made.before);
    addOn.open = addOn.open.filter((one) => !one.at.equals(at));
    return true;
  }

  /** Add-ons end where the plan changes to one that takes none: what was to come then or later never does, and what is billed of the time after it is given back there. */
  private endAddOns({ when, isProrated }: Wanted): void {
    const { now, whole } = this;
    if (when === 'now' && whole !== null) {
      for (const addOn of this.addOns.filter(({ had }) => had !== null)) {
        this.undo(addOn, now);
        if (addOn.billed !== null && isProrated) this.ask(now, minus(zero, this.total(addOnFees, { pay: 'advance', units: addOn.billed, part: { start: now, end: whole.end }, whole, isUnused: true })));
        Object.assign(addOn, { had: null, billed: null, next: null });
      }
    }
    const comesBefore = ({ next }: AddOn): boolean => when === 'period_end' && next?.isAtFirstStart === true && this.begins.trialEndAt === null;
    this.addOns = this.addOns.filter((addOn) => addOn.hasBegun || comesBefore(addOn));
    for (const addOn of this.addOns) if (addOn.next?.quantity !== null && !comesBefore(addOn)) addOn.next = null;
  }

  private stepNow(addOn: AddOn, to: { quantity: number | null; isProrated: boolean }): void {
    const { now, whole } = this;
    const { quantity, isProrated } = to;
    if (whole === null) return;
    if (!this.undo(addOn, now) && quantity === addOn.had) return;
    const before = { had: addOn.had, billed: addOn.billed, hasBegun: addOn.hasBegun };
    this.noteArrears(addOn, now);
    const rest = { pay: 'advance' as const, part: { start: now, end: whole.end }, whole };
    let amount = !addOn.hasBegun && quantity !== null ? this.total(addOnFees, { pay: 'once', units: quantity }) : zero;
    const { billed } = addOn;
    if (isProrated) {
      if (billed !== null) amount = minus(amount, this.total(addOnFees, { ...rest, units: billed, isUnused: true }));
      if (quantity !== null) amount = plus(amount, this.total(addOnFees, { ...rest, units: quantity, isUnused: billed !== null }));
    }
    Object.assign(addOn, { had: quantity, hasBegun: true, billed: isProrated || quantity === null ? quantity : billed });
    addOn.open.push({ at: now, amount, before });
  }

  /** Whether the periods go on as they were; otherwise others begin. */
  private takeTerms(terms: Terms, at: Temporal.Instant): boolean {
    const goesOn = JSON.stringify(fees[terms.plan].every) === JSON.stringify(fees[this.terms.plan].every);
    if (!goesOn) this.anchor = at;
    this.terms = terms;
    return goesOn;
  }

  private periodEnd(): Temporal.Instant {
    if (this.whole !== null) return this.whole.end;
    return this.begins.trialEndAt === null ? this.wholeAt(this.firstStart).end : this.firstStart;
  }

  private wholeAt(instant: Temporal.Instant): Span {
    const { every } = fees[this.terms.plan];
    const local = this.anchor.toZonedDateTimeISO(this.begins.timeZone).toPlainDateTime();
    const boundary = (index: number): Temporal.Instant => (index === 0 ? this.anchor : local.add('months' in every ? { months: every.months * index } : { weeks: every.weeks * index }).toZonedDateTime(this.begins.timeZone).toInstant());
    let index = 0;
    while (!isBefore(instant, boundary(index + 1))) index += 1;
    while (isBefore(instant, boundary(index))) index -= 1;
    return { start: boundary(index), end: boundary(index + 1) };
  }

  private advance(terms: Terms, of: { part: Span; whole: Span; isUnused?: boolean }): Ratio {
    return this.total(fees[terms.plan].fees, { pay: 'advance', units: terms.seats, ...of });
  }

  /** What is not prorated is owed whole, and never given back. */
  private total(from: readonly Fee[], of: { pay: Fee['pay']; units: number; part?: Span; whole?: Span; isUnused?: boolean }): Ratio {
    let sum = zero;
    for (const one of from) {
      if (one.pay !== of.pay || (one.unit === 'none' && of.isUnused === true)) continue;
      const share = of.part === undefined || of.whole === undefined || one.unit === 'none' ? { n: 1n, d: 1n } : { n: this.length(of.part, one.unit), d: this.length(of.whole, one.unit) };
      sum = plus(sum, { n: one.cents * (one.perUnit ? BigInt(of.units) : 1n) * share.n, d: 100n * share.d });
    }
    return sum;
  }

  private length({ start, end }: Span, unit: 'second' | 'day'): bigint {
    if (unit === 'second') return BigInt(end.epochMilliseconds - start.epochMilliseconds);
    const day = (instant: Temporal.Instant) => instant.toZonedDateTimeISO(this.begins.timeZone).toPlainDate();
    return BigInt(day(start).until(day(end), { largestUnit: 'days' }).days);
  }

  private ask(at: Temporal.Instant, amount: Ratio): void {
    if (amount.n !== 0n) this.asked.set(at.toString(), plus(this.asked.get(at.toString()) ?? zero, amount));
  }
}
