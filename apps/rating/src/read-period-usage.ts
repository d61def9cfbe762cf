import { bucketPeriods, chargeEvents, decimal, noEventsYet, readingOf, type ChargedEvents, type GroupUsage, type IdentifiedPrice, type LocalDay, type Percentage, type PriceReading } from '#domain';
import { findByIdOrKey, meterTable, type Database } from '#persistence';
import { assert, type Clock } from '#platform';
import type { PeriodToRate } from './period-to-rate.js';
import { UsageBook } from './usage-book.js';
import type { SliceEvents, UsageSlice, UsageSlices } from './usage-slices.js';

/** A period with the local days of it that are rated. */
export interface DatedPeriod extends PeriodToRate {
  readonly ref: string;
  readonly days: readonly LocalDay[];
}

/** One way of reading one meter, for the periods whose prices ask for it. */
interface Reading {
  readonly source: string;
  readonly organizationId: string;
  readonly meterId: string;
  readonly exempt: string | null;
  readonly reading: PriceReading;
  readonly slices: readonly UsageSlice[];
}

/** Reads the usage of many periods of one organization, with a query or two per meter and way of reading it, however many periods there are. */
export class ReadPeriodUsage {
  constructor(private readonly use: { readonly database: Database; readonly usage: UsageSlices; readonly events: SliceEvents; readonly clock: Clock }) {}

  /** The usage of a usage price from its period's start until a day's end. */
  async execute(organizationId: string, periods: readonly DatedPeriod[]): Promise<{ freshAsOf: Temporal.Instant; of: (wanted: WantedUsage) => readonly GroupUsage[] }> {
    const wanted = periods.flatMap((period) =>
      period.plan.prices.filter(({ type }) => type === 'usage').map((price) => ({ period, price, source: sourceOf(price, period) })),
    );
    const book = new UsageBook(this.use.clock.now());
    for (const [source, uses] of Map.groupBy(wanted, (entry) => entry.source)) {
      const [first] = uses;
      assert(first?.price.meter !== undefined, 'A usage price names its meter.');
      const meterId = await this.meterId({ organizationId, reference: first.price.meter });
      const reading = readingOf(first.price, first.period.subscription.currency);
      const slices = [...new Map(uses.map(({ period }) => [period.ref, sliceOf(period, reading)])).values()];
      await this.read({ source, organizationId, meterId, exempt: reading.exempt, reading, slices }, book);
    }
    return {
      freshAsOf: book.freshAsOf,
      of: ({ price, period, day }) => {
        const wantedUsage = { source: sourceOf(price, period), ref: period.ref, end: day.end };
        return price.bucket === undefined ? book.of(wantedUsage) : book.until(wantedUsage);
      },
    };
  }

  private async read(wanted: Reading, book: UsageBook): Promise<void> {
    if (wanted.reading.percentage !== null) return this.readCharged({ ...wanted, percentage: wanted.reading.percentage }, book);
    if (wanted.reading.bucket !== null) return this.readBuckets(wanted, book);
    const { rows, freshAsOf } = await this.use.usage.readSlices({ ...wanted, groupBy: wanted.reading.groupBy });
    for (const { ref, end, group, value } of rows) book.add(wanted.source, { ref, end, group, quantity: decimal(value) });
    book.readUntil(freshAsOf);
    if (wanted.reading.statedPath !== null) await this.readStated({ ...wanted, path: wanted.reading.statedPath }, book);
  }

  /** Each bucket by itself. There may be hundreds in a period, so a query has only so many of them. */
  private async readBuckets(wanted: Reading, book: UsageBook): Promise<void> {
    for (const slices of chunksByEnds(wanted.slices)) {
      const { rows, freshAsOf } = await this.use.usage.readSlices({ ...wanted, slices, groupBy: wanted.reading.groupBy, isByEnd: true });
      const startOf = new Map(slices.map((slice) => [slice.ref, new Map(slice.ends.map((end, index) => [end.epochNanoseconds, slice.ends[index - 1] ?? slice.from]))]));
      for (const { ref, end, group, value } of rows) {
        const bucket = startOf.get(ref)?.get(end.epochNanoseconds);
        assert(bucket !== undefined, 'Usage is answered by the ends that were asked for.');
        book.addBucket(wanted.source, { ref, end, group, bucket, quantity: decimal(value) });
      }
      book.readUntil(freshAsOf);
    }
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

interface WantedUsage {
  readonly price: IdentifiedPrice;
  readonly period: DatedPeriod;
  readonly day: LocalDay;
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

const endsMax = 20_000;

/** As many slices at a time as have at most so many ends together; at least one. */
function* chunksByEnds(slices: readonly UsageSlice[]): Generator<readonly UsageSlice[]> {
  let chunk: UsageSlice[] = [];
  let ends = 0;
  for (const slice of slices) {
    if (chunk.length > 0 && ends + slice.ends.length > endsMax) {
      yield chunk;
      [chunk, ends] = [[], 0];
    }
    chunk.push(slice);
    ends += slice.ends.length;
  }
  if (chunk.length > 0) yield chunk;
}

/** Prices that read the same meter in the same way share its queries. */
function sourceOf(price: IdentifiedPrice, { subscription }: DatedPeriod): string {
  return JSON.stringify([price.meter, readingOf(price, subscription.currency)]);
}

function sliceOf(period: DatedPeriod, { bucket }: PriceReading): UsageSlice {
  const parts = bucket === null ? period.days : bucketPeriods(period.days, { unit: bucket, timeZone: period.subscription.timeZone });
  return {
    ref: period.ref,
    customerId: period.subscription.customerId,
    from: period.billing.period.start,
    to: period.billing.period.end,
    ends: parts.map(({ end }) => end),
  };
}
