import { chargeEvents, decimal, divide, noEventsYet, ZERO, type ChargedEvents, type Decimal, type GroupUsage, type IdentifiedPrice, type LocalDay, type Percentage, type PriceReading, type UsageAround } from '#domain';
import { findByIdOrKey, meterTable, type Database } from '#persistence';
import { assert, type Clock } from '#platform';
import { UsageBook } from './usage-book.js';
import type { SliceEvents, UsageSlice, UsageSlices } from './usage-slices.js';
import { measuredService, ownUsage, rolledOverFrom, tierCountOf, type DatedPeriod, type MeasuredService, type PeriodBefore, type WantedUsage } from './wanted-usage.js';

/** One way of reading one meter, for the periods whose prices ask for it. */
interface Reading {
  readonly source: string;
  readonly organizationId: string;
  readonly meterId: string;
  readonly exempt: string | null;
  readonly reading: PriceReading;
  readonly slices: readonly UsageSlice[];
  readonly now: Temporal.Instant;
}

/** Reads the usage of many periods of one organization, with a query or two per meter and way of reading it, however many periods there are. */
export class ReadPeriodUsage {
  constructor(private readonly use: { readonly database: Database; readonly usage: UsageSlices; readonly events: SliceEvents; readonly clock: Clock }) {}

  /** What lasts, lasts until `now` in business time. */
  async execute(organizationId: string, { periods, now }: { periods: readonly DatedPeriod[]; now: Temporal.Instant }): Promise<PeriodUsage> {
    const uses = new Map(periods.flatMap((period) =>
      period.plan.prices.filter(({ type }) => type === 'usage').map((price) => [useKey(price, period), { own: ownUsage(price, period), before: rolledOverFrom(price, period), service: measuredService(price, period) }])));
    const wanted = [...uses.values()].flatMap(({ own, before, service }) => [own, before?.usage ?? null, service?.meter ?? null, service?.per ?? null].filter((usage) => usage !== null));
    const book = new UsageBook(this.use.clock.now());
    for (const [source, ofSource] of Map.groupBy(wanted, (entry) => entry.source)) {
      const [first] = ofSource;
      assert(first !== undefined && first.meter !== '', 'A usage price names its meter.');
      const meterId = await this.meterId({ organizationId, reference: first.meter });
      const { reading } = first;
      for (const slices of chunksOf([...new Map(ofSource.map(({ slice }) => [slice.ref, slice])).values()], reading)) {
        await this.read({ source, organizationId, meterId, exempt: reading.exempt, reading, slices, now }, book);
      }
    }
    return new PeriodUsage(book, uses);
  }

  private async read(wanted: Reading, book: UsageBook): Promise<void> {
    if (wanted.reading.percentage !== null) return this.readCharged({ ...wanted, percentage: wanted.reading.percentage }, book);
    if (wanted.reading.bucket !== null) return this.readBuckets(wanted, book);
    const { rows, freshAsOf } = await this.use.usage.readSlices({ ...wanted, groupBy: wanted.reading.groupBy });
    for (const { ref, end, group, value } of rows) book.add(wanted.source, { ref, end, group, quantity: decimal(value) });
    book.readUntil(freshAsOf);
    if (wanted.reading.statedPath !== null) await this.readStated({ ...wanted, path: wanted.reading.statedPath }, book);
  }

  /** Each bucket by itself. */
  private async readBuckets(wanted: Reading, book: UsageBook): Promise<void> {
    const { slices } = wanted;
    const { rows, freshAsOf } = await this.use.usage.readSlices({ ...wanted, groupBy: wanted.reading.groupBy, isByEnd: true });
    const startOf = new Map(slices.map((slice) => [slice.ref, new Map(slice.ends.map((end, index) => [end.epochNanoseconds, slice.ends[index - 1] ?? slice.from]))]));
    for (const { ref, end, group, value } of rows) {
      const bucket = startOf.get(ref)?.get(end.epochNanoseconds);
      assert(bucket !== undefined, 'Usage is answered by the ends that were asked for.');
      book.addBucket(wanted.source, { ref, end, group, bucket, quantity: decimal(value) });
    }
    book.readUntil(freshAsOf);
  }

  /** Charges the events as they come in; what is kept is where each slice stood at each of its ends. */
  private async readCharged({ percentage, ...wanted }: Reading & { percentage: Percentage }, book: UsageBook): Promise<void> {
    const { batches, freshAsOf } = await this.use.events.readEvents(wanted);
    const reached = new Map<string, ChargedEvents>();
    for await (const events of batches) {
      for (const run of runsOf(events)) {
        const charged = chargeEvents(reached.get(run.slice) ?? noEventsYet, run.values, percentage);
        reached.set(run.slice, charged);
        reached.set(`${run.slice} ${run.end.epochNanoseconds}`, charged);
      }
    }
    for (const { ref, ends } of wanted.slices) {
      let charged: ChargedEvents | undefined;
      for (const end of ends) {
        charged = reached.get(`${ref} ${end.epochNanoseconds}`) ?? charged;
        if (charged !== undefined) book.add(wanted.source, { ref, end, group: {}, quantity: charged.quantity, charged });
      }
    }
    book.readUntil(freshAsOf);
  }

  private async readStated({ path, ...wanted }: Reading & { path: string }, book: UsageBook): Promise<void> {
    const { rows, freshAsOf } = await this.use.events.readStated({ ...wanted, path });
    for (const { ref, end, sum, missing } of rows) {
      const [metered] = book.of({ source: wanted.source, ref, end });
      if (metered !== undefined) book.set(wanted.source, { ref, end, ...metered, stated: { sum, missing } });
    }
    book.readUntil(freshAsOf);
  }

  private async meterId(meter: { organizationId: string; reference: string }): Promise<string> {
    const found = await this.use.database.inOrganization(meter.organizationId, async (manager) => findByIdOrKey(manager, meterTable, meter.reference));
    assert(found !== null, 'A stored plan names a meter that exists.');
    return found.id;
  }
}

/** What a price of a period looks at. */
interface PriceUse {
  readonly own: WantedUsage;
  readonly before: PeriodBefore | null;
  readonly service: MeasuredService | null;
}

const useKey = ({ key }: IdentifiedPrice, { ref }: DatedPeriod): string => `${ref} ${key}`;

/** The usage that was read for some periods. */
export class PeriodUsage {
  constructor(
    private readonly book: UsageBook,
    private readonly uses: ReadonlyMap<string, PriceUse>,
  ) {}

  /** Every event acknowledged before this instant is in it. */
  get freshAsOf(): Temporal.Instant {
    return this.book.freshAsOf;
  }

  /** The usage of a usage price until a day's end: from its period's start, or since its tiers began to count. */
  of({ price, period, day }: { price: IdentifiedPrice; period: DatedPeriod; day: LocalDay }): readonly GroupUsage[] {
    return this.until(this.useOf(price, period).own, day.end);
  }

  /** What a usage price looks at beside. */
  around(price: IdentifiedPrice, period: DatedPeriod): UsageAround {
    const { own, before, service } = this.useOf(price, period);
    return { ...this.previous(before), ...this.tierCount({ own, price, period }), ...(service === null ? {} : { slaValue: this.measured(service) }) };
  }

  private previous(before: PeriodBefore | null): UsageAround {
    if (before === null) return {};
    const { usage, ...terms } = before;
    return { previous: { ...terms, usage: this.until(usage, usage.slice.to) } };
  }

  private tierCount({ own, price, period }: { own: WantedUsage; price: IdentifiedPrice; period: DatedPeriod }): UsageAround {
    const count = tierCountOf(price, period);
    if (count === null) return {};
    const { start } = period.billing.period;
    return { tierCount: { ...count, before: count.since.equals(start) ? null : this.until(own, start) } };
  }

  /** Null where nothing was measured. Where it is so much of something, none of it is 0. */
  private measured({ meter, per }: MeasuredService): Decimal | null {
    const value = this.valueOf(meter);
    if (per === null) return value;
    const all = this.valueOf(per);
    return all === null || all.isZero() ? null : divide(value ?? ZERO, all);
  }

  private valueOf(usage: WantedUsage): Decimal | null {
    const end = usage.slice.ends.at(-1);
    return end === undefined ? null : (this.until(usage, end)[0]?.quantity ?? null);
  }

  private useOf(price: IdentifiedPrice, period: DatedPeriod): PriceUse {
    const use = this.uses.get(useKey(price, period));
    assert(use !== undefined, 'The usage of each usage price was read.');
    return use;
  }

  private until({ source, reading, slice }: WantedUsage, end: Temporal.Instant): readonly GroupUsage[] {
    return reading.bucket === null ? this.book.of({ source, ref: slice.ref, end }) : this.book.until({ source, ref: slice.ref, end });
  }
}

/** Events that follow each other in one slice before one end. */
function* runsOf(events: readonly { readonly ref: string; readonly end: Temporal.Instant; readonly value: ReturnType<typeof decimal> }[]) {
  let at = 0;
  while (at < events.length) {
    const first = events[at];
    assert(first !== undefined, 'There is an event below the length.');
    let next = at + 1;
    while (events[next]?.ref === first.ref && events[next]?.end === first.end) next += 1;
    yield { slice: first.ref, end: first.end, values: events.slice(at, next).map(({ value }) => value) };
    at = next;
  }
}

const slicesMax = 500;
/** There may be hundreds of buckets in a period. */
const bucketsMax = 20_000;

/** As many slices at a time as one query takes; at least one. */
function* chunksOf(slices: readonly UsageSlice[], { bucket }: PriceReading): Generator<readonly UsageSlice[]> {
  let chunk: UsageSlice[] = [];
  let buckets = 0;
  for (const slice of slices) {
    const added = bucket === null ? 0 : slice.ends.length;
    if (chunk.length > 0 && (chunk.length >= slicesMax || buckets + added > bucketsMax)) {
      yield chunk;
      [chunk, buckets] = [[], 0];
    }
    chunk.push(slice);
    buckets += added;
  }
  if (chunk.length > 0) yield chunk;
}
