import { decimal, earlier, sumOf, ZERO, type Decimal, type MeasuredGrant } from '#domain';
import { assert } from '#platform';
import type { CustomerGrants, Grant } from './customer-grants.js';
import type { UsageSlice, UsageSlices } from './usage-slices.js';

export interface MeasuredGrants {
  /** In the order of the grants. */
  readonly measured: readonly MeasuredGrant[];
  /** Every event acknowledged before this instant is in what was used; null where nothing had to be measured. */
  readonly freshAsOf: Temporal.Instant | null;
}

/** Meters read at a time: each is a query. */
const readsAtOnce = 3;
/** No event is earlier. */
const earliest = Temporal.Instant.from('2000-01-01T00:00:00Z');
/** Events lie at most an hour ahead. */
const ahead = { hours: 2 };

/** Slices of one query. */
const slicesMax = 500;

export interface MeasuringOptions {
  readonly organizationId: string;
  readonly usage: UsageSlices;
}

interface GrantSlices {
  readonly meterId: string;
  readonly slices: readonly UsageSlice[];
}

/** What of each grant of some customers was used, with a query or two for each meter, however many customers, grants and stretches of time there are. */
export async function measureGrants(customers: readonly Pick<CustomerGrants, 'grants' | 'now'>[], using: MeasuringOptions): Promise<MeasuredGrants[]> {
  const [first] = customers;
  if (first === undefined) return [];
  const wanted = customers.flatMap(({ grants, now }, nth) => grants.flatMap((grant, place) => slicesOf(grant, { place: `${nth}/${place}`, now })));
  const readings = [...Map.groupBy(wanted, ({ meterId }) => meterId)].flatMap(([meterId, ofMeter]) => chunksOf(ofMeter.flatMap(({ slices }) => slices)).map((slices) => ({ meterId, slices })));
  const used = new Map<string, ReturnType<typeof decimal>>();
  const freshOf = new Map<string, Temporal.Instant>();
  for (let at = 0; at < readings.length; at += readsAtOnce) {
    await Promise.all(readings.slice(at, at + readsAtOnce).map(async ({ meterId, slices }) => {
      const { rows, freshAsOf } = await using.usage.readSlices({ organizationId: using.organizationId, meterId, exempt: null, groupBy: [], slices, now: first.now });
      for (const { ref, value } of rows) used.set(ref, decimal(value));
      for (const { ref } of slices) freshOf.set(ref, freshAsOf);
    }));
  }
  return customers.map(({ grants }, nth) => {
    const refs = grants.flatMap(({ window }, place) => (window?.stretches ?? []).map((_, index) => `${nth}/${place}/${index}`));
    const measured = grants.map((grant, place) => measuredOf(grant, (index) => used.get(`${nth}/${place}/${index}`) ?? ZERO));
    return { measured, freshAsOf: earliestOf(refs.flatMap((ref) => freshOf.get(ref) ?? [])) };
  });
}

function measuredOf({ of, entitlement, window }: Grant, usedIn: (stretch: number) => Decimal): MeasuredGrant {
  return {
    subscriptionId: of.subscription.id,
    entitlement,
    used: window === null ? null : sumOf(window.stretches.entries(), ([index]) => usedIn(index)),
    resetsAt: window?.resetsAt ?? null,
  };
}

function earliestOf(instants: readonly Temporal.Instant[]): Temporal.Instant | null {
  return instants.reduce<Temporal.Instant | null>((first, instant) => (first === null ? instant : earlier(first, instant)), null);
}

function chunksOf(slices: readonly UsageSlice[]): UsageSlice[][] {
  return Array.from({ length: Math.ceil(slices.length / slicesMax) }, (_, nth) => slices.slice(nth * slicesMax, (nth + 1) * slicesMax));
}

/** A level is what there is at present, whenever it was said; all else counts in the stretches of the window. */
function slicesOf({ of, feature, window }: Grant, at: { place: string; now: Temporal.Instant }): GrantSlices[] {
  if (window === null) return [];
  assert(feature.meter !== null, 'A metered entitlement has a feature with a meter, which stays while it is granted.');
  const stretches = feature.meter.aggregation === 'latest' ? [{ start: earliest, end: at.now.add(ahead) }] : window.stretches;
  const slices = stretches.map(({ start, end }, index) => ({ ref: `${at.place}/${index}`, customerId: of.subscription.customerId, from: start, to: end, ends: [end] }));
  return [{ meterId: feature.meter.id, slices }];
}
