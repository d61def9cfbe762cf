import { stretchesWithin, type Meter } from '#domain';
import { assert } from '#platform';
import { findMeters } from '../postgres/aggregator/meter-rollups.js';
import { readAttachments, type Attachment } from '../postgres/billing-api/customer-tables.js';
import type { Database } from '../postgres/database.js';
import type { ClickHouse } from './clickhouse.js';
import { CutReader } from './cut-reader.js';
import type { EventsAtCut } from './events-at-cut.js';
import { instantOfMicros, microsOf } from './sql-builder.js';
import { exemptionOf, sliceSpans, spansRange } from './slice-spans.js';
import type { UsageBasis } from './usage-basis.js';
import type { UsageSlice } from './usage-query.js';
import type { SpanRange } from './subject-spans.js';
import type { EventScope, ScanPart, UsageSpan } from './usage-scan.js';

/** Which events slices are made of. */
export interface SliceScopeQuery {
  readonly organizationId: string;
  readonly meterId: string;
  /** A filter, as meters have it: events that pass it are left out. */
  readonly exempt?: string | null;
  readonly slices: readonly UsageSlice[];
  readonly basis?: UsageBasis | undefined;
  /** Business time, until which what lasts lasts; left out, the slices are over. */
  readonly now?: Temporal.Instant | undefined;
}

/** Of single spans, each of whose refs is its slice's place. */
export interface SliceScope extends EventScope {
  readonly meter: Meter;
  readonly from: bigint;
  readonly to: bigint;
  readonly spans: readonly UsageSpan[];
  readonly exempt: NonNullable<EventScope['exempt']> | null;
  readonly atCut: EventsAtCut | null;
}

/** The scope is null where no slice has a subject. */
export async function sliceScope(stores: { readonly clickhouse: ClickHouse; readonly database: Database }, query: SliceScopeQuery): Promise<{ meter: Meter; scope: SliceScope | null }> {
  const { meter, attachments } = await underlying(stores.database, query);
  const spans = sliceSpans({ ...query, until: isGauge(meter) && query.now !== undefined ? microsOf(query.now) : null }, attachments);
  if (spans.length === 0) return { meter, scope: null };
  const range = spansRange(spans);
  const scope: SliceScope = { meter, ...range, parts: rawParts(meter, range), spans, keepsRest: false, subjects: null, exempt: exemptionOf(query), atCut: null };
  const cut = query.basis?.cut ?? null;
  return { meter, scope: cut === null ? scope : { ...scope, atCut: await new CutReader(stores).at(reachOf(scope), cut) } };
}

/** All that may matter for a scope: a gauge's value is brought along from whenever it was set. */
export function reachOf(scope: SliceScope): SliceScope {
  return isGauge(scope.meter) ? { ...scope, from: 0n, parts: rawParts(scope.meter, { from: 0n, to: scope.to }), spans: scope.spans.map((span) => ({ ...span, from: 0n })) } : scope;
}

export function isGauge({ aggregation }: Meter): boolean {
  return aggregation === 'time_weighted_sum';
}

async function underlying(database: Database, { organizationId, meterId, slices, basis }: SliceScopeQuery): Promise<{ meter: Meter; attachments: readonly Attachment[] }> {
  if (basis !== undefined) {
    const meter = basis.meters.find(({ id }) => id === meterId);
    assert(meter !== undefined, 'A basis has the meters that are asked for.');
    return { meter, attachments: basis.attachments };
  }
  return database.inOrganization(organizationId, async (manager) => {
    const [meter] = await findMeters(manager, { ids: [meterId] });
    assert(meter !== undefined, 'A price names a meter of its organization.');
    return { meter, attachments: await readAttachments(manager, { customerIds: [...new Set(slices.map(({ customerId }) => customerId))] }) };
  });
}

/** Which versions count in the range, all of it read from raw events. */
export function rawParts(meter: Meter, range: SpanRange): ScanPart[] {
  const within = { from: instantOfMicros(range.from), to: instantOfMicros(range.to) };
  return stretchesWithin(meter, within).map(({ part, from, to }) => ({ meter: part, from: microsOf(from), to: microsOf(to), raw: { kind: 'all' } }));
}
