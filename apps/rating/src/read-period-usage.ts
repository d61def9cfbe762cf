import { chargeEvents, decimal, noEventsYet, readingOf, type ChargedEvents, type GroupUsage, type IdentifiedPrice, type LocalDay, type Percentage, type PriceReading } from '#domain';
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
      const slices = [...new Map(uses.map(({ period }) => [period.ref, sliceOf(period)])).values()];
      const reading = readingOf(first.price, first.period.subscription.currency);
      await this.read({ source, organizationId, meterId, reading, slices }, book);
    }
    return { freshAsOf: book.freshAsOf, of: ({ price, period, day }) => book.of({ source: sourceOf(price, period), ref: period.ref, end: day.end }) };
  }

  private async read(wanted: Reading, book: UsageBook): Promise<void> {
    if (wanted.reading.percentage !== null) return this.readCharged({ ...wanted, percentage: wanted.reading.percentage }, book);
    const { rows, freshAsOf } = await this.use.usage.readSlices({ ...wanted, groupBy: wanted.reading.groupBy });
    for (const { ref, end, group, value } of rows) book.add(wanted.source, { ref, end, group, quantity: decimal(value) });
    book.readUntil(freshAsOf);
    if (wanted.reading.statedPath !== null) await this.readStated({ ...wanted, path: wanted.reading.statedPath }, book);
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

/** Prices that read the same meter in the same way share its queries. */
function sourceOf(price: IdentifiedPrice, { subscription }: DatedPeriod): string {
  return JSON.stringify([price.meter, readingOf(price, subscription.currency)]);
}

function sliceOf(period: DatedPeriod): UsageSlice {
  return {
    ref: period.ref,
    customerId: period.subscription.customerId,
    from: period.billing.period.start,
    to: period.billing.period.end,
    ends: period.days.map((day) => day.end),
  };
}
