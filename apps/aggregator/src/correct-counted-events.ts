import { usageEventKey } from '#contracts';
import { correctEvents, type CorrectedEvent } from '#domain';
import type { CountedEvent, CountedEvents, EventOverride, IndexedCopy, IndexedCorrection, IndexedIdentities } from '#persistence';
import type { IncomingCopy, IncomingCorrection } from './decode-usage-batch.js';

/** What a batch brought, and what is known of the identities in it. */
export interface CorrectableBatch {
  readonly counted: readonly IncomingCopy[];
  readonly corrections: readonly IncomingCorrection[];
  readonly known: IndexedIdentities;
  readonly windowOf: (organizationId: string) => number;
}

/** All that is known of one identity that something corrects. */
interface Affair {
  readonly organizationId: string;
  readonly counted: IncomingCopy[];
  readonly indexed: IndexedCopy[];
  readonly corrections: (IncomingCorrection | IndexedCorrection)[];
}

/**
 * Finds the events that a batch's corrections are about, and the corrections that waited for a batch's events, and says
 * what becomes of the events. Most batches have neither, and ask nothing.
 */
export class CorrectCountedEvents {
  constructor(private readonly events: CountedEvents) {}

  async execute(batch: CorrectableBatch): Promise<EventOverride[]> {
    const affairs = affairsOf(batch);
    if (affairs.length === 0) return [];
    const stored = Map.groupBy(await this.storedEvents(affairs), keyOf);
    return affairs.flatMap((affair) => {
      const identity = keyOf(affair.corrections[0] as IncomingCorrection); // An affair begins with one.
      const events = eachOnce([...(stored.get(identity) ?? []), ...affair.counted.map(asCounted)]);
      return correctEvents(events, affair.corrections, batch.windowOf(affair.organizationId)).map(toOverride);
    });
  }

  /** By their place where the index knows the event that each correction follows; else through all ids, since it may be older than the window. */
  private async storedEvents(affairs: readonly Affair[]): Promise<CountedEvent[]> {
    const found: CountedEvent[] = [];
    for (const [organizationId, own] of Map.groupBy(affairs, (affair) => affair.organizationId)) {
      const [placed, unplaced] = [own.filter(followsKnownEvent), own.filter((affair) => !followsKnownEvent(affair))];
      found.push(...(await this.events.byKey(organizationId, placed.flatMap(({ indexed }) => indexed))));
      found.push(...(await this.events.byIdentity(organizationId, unplaced.flatMap(({ corrections }) => corrections))));
    }
    return found;
  }
}

/** Identities with a correction in the batch, and those with one from before that have an event in it. */
function affairsOf({ counted, corrections, known }: CorrectableBatch): Affair[] {
  const earlier = Map.groupBy(known.corrections, keyOf);
  if (corrections.length === 0 && earlier.size === 0) return [];
  const own = Map.groupBy(corrections, keyOf);
  const copies = Map.groupBy(counted, keyOf);
  const indexed = Map.groupBy(known.copies, keyOf);
  const concerned = new Set([...own.keys(), ...[...earlier.keys()].filter((identity) => copies.has(identity))]);
  return [...concerned].map((identity) => {
    const all = new Map([...(earlier.get(identity) ?? []), ...(own.get(identity) ?? [])].map((correction) => [correction.position, correction]));
    const [first] = all.values();
    return { organizationId: first?.organizationId ?? '', counted: copies.get(identity) ?? [], indexed: indexed.get(identity) ?? [], corrections: [...all.values()] };
  });
}

function followsKnownEvent({ counted, indexed, corrections }: Affair): boolean {
  const first = corrections.map(({ position }) => position).reduce((a, b) => (a < b ? a : b));
  return [...counted, ...indexed].some(({ position }) => position < first);
}

/** Equal copies with a time of their own have one row, which is the first one's, and that knows what its data were. */
function eachOnce(events: readonly CountedEvent[]): CountedEvent[] {
  const rows = new Map<string, CountedEvent>();
  for (const event of events) {
    const row = JSON.stringify([event.type, event.subject, event.time, event.payloadHash]);
    const other = rows.get(row);
    if (other === undefined || event.position < other.position) rows.set(row, event);
  }
  return [...rows.values()];
}

function keyOf(item: { readonly organizationId: string; readonly source: string; readonly id: string }): string {
  return usageEventKey({ organization: item.organizationId, source: item.source, id: item.id });
}

function asCounted(copy: IncomingCopy): CountedEvent {
  return { ...copy, originalData: copy.data };
}

function toOverride({ event, decisive, amendment }: CorrectedEvent<CountedEvent, IncomingCorrection | IndexedCorrection>): EventOverride {
  return { event, kind: decisive.kind, position: decisive.position, amendedData: amendment?.data ?? null };
}
