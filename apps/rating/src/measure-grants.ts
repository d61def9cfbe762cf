import { decimal, earlier, sumOf, ZERO, type MeasuredGrant } from '#domain';
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

interface GrantSlices {
  readonly meterId: string;
  readonly slices: readonly UsageSlice[];
}

/** What of each grant was used, with one query for each meter, however many grants and stretches of time there are. */
export async function measureGrants({ grants, now }: Pick<CustomerGrants, 'grants' | 'now'>, using: { readonly organizationId: string; readonly usage: UsageSlices }): Promise<MeasuredGrants> {
  const wanted = grants.flatMap((grant, place) => slicesOf(grant, { place, now }));
  const ofMeters = [...Map.groupBy(wanted, ({ meterId }) => meterId)];
  const used = new Map<string, ReturnType<typeof decimal>>();
  let freshAsOf: Temporal.Instant | null = null;
  for (let at = 0; at < ofMeters.length; at += readsAtOnce) {
    const read = await Promise.all(ofMeters.slice(at, at + readsAtOnce).map(([meterId, ofMeter]) =>
      using.usage.readSlices({ organizationId: using.organizationId, meterId, exempt: null, groupBy: [], slices: ofMeter.flatMap(({ slices }) => slices), now })));
    for (const { rows, freshAsOf: readAsOf } of read) {
      for (const { ref, value } of rows) used.set(ref, decimal(value));
      freshAsOf = freshAsOf === null ? readAsOf : earlier(freshAsOf, readAsOf);
    }
  }
  const measured = grants.map(({ of, entitlement, window }, place): MeasuredGrant => ({
    subscriptionId: of.subscription.id,
    entitlement,
    used: window === null ? null : sumOf(window.stretches.entries(), ([index]) => used.get(`${place}/${index}`) ?? ZERO),
    resetsAt: window?.resetsAt ?? null,
  }));
  return { measured, freshAsOf };
}

/** A level is what there is at present, whenever it was said; all else counts in the stretches of the window. */
function slicesOf({ of, feature, window }: Grant, at: { place: number; now: Temporal.Instant }): GrantSlices[] {
  if (window === null) return [];
  assert(feature.meter !== null, 'A metered entitlement has a feature with a meter, which stays while it is granted.');
  const stretches = feature.meter.aggregation === 'latest' ? [{ start: earliest, end: at.now.add(ahead) }] : window.stretches;
  const slices = stretches.map(({ start, end }, index) => ({ ref: `${at.place}/${index}`, customerId: of.subscription.customerId, from: start, to: end, ends: [end] }));
  return [{ meterId: feature.meter.id, slices }];
}
