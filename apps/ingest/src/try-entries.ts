import type { RefusedEventBody } from '#contracts';
import { countingRule, decideCopies, eventState, groupByRule, isOfPart, meterParts, parseData, valueByRule, type CountingRule, type EventReason, type Meter, type MeterPart, type NewUsageEvent, type Verdict } from '#domain';
import { assert } from '#platform';
import { checkReceived, payloadHashOf, refusedBody, timeBounds, type AcceptEventsDependencies } from './accept-events.js';
import type { ReceivedBatch } from './received-batch.js';

/** Meters that are not archived and have a version of one of these event types, in the order of their keys. */
export type FindCurrentMeters = (of: { readonly organizationId: string; readonly eventTypes: readonly string[] }) => Promise<readonly Meter[]>;

export interface TryEntriesDependencies extends Pick<AcceptEventsDependencies, 'businessNow' | 'rawRetentionSeconds'> {
  readonly findCurrentMeters: FindCurrentMeters;
}

/** An event that an entry would become. */
export interface TriedEntry {
  readonly index: number;
  readonly line: number | undefined;
  readonly event: NewUsageEvent;
  readonly state: Verdict | 'not_counted';
  readonly meters: readonly { readonly meter: string; readonly value: string; readonly group: Readonly<Record<string, string>> }[];
  /** Why other meters would not count it. */
  readonly reasons: readonly EventReason[];
}

export interface EntriesTrial {
  readonly events: readonly TriedEntry[];
  readonly rejected: readonly RefusedEventBody[];
}

type CheckedEntry = Pick<TriedEntry, 'index' | 'line' | 'event'>;
type KeyedRule = { readonly key: string; readonly rule: CountingRule; readonly part: MeterPart };

/** What would become of entries if they were posted. Appends nothing, keeps nothing. */
export class TryEntries {
  constructor(private readonly use: TryEntriesDependencies) {}

  async execute(organizationId: string, batch: ReceivedBatch): Promise<EntriesTrial> {
    const bounds = await timeBounds(organizationId, this.use);
    const entries: CheckedEntry[] = [];
    const rejected: RefusedEventBody[] = [];
    for (const [index, received] of batch.events.entries()) {
      const checked = checkReceived(received, bounds);
      if (checked.ok) entries.push({ index, line: received.line, event: checked.event });
      else rejected.push(refusedBody(index, received, checked.faults));
    }
    const rules = await this.rulesOf(organizationId, entries);
    const verdicts = verdictsAmong(entries, { organizationId, receivedAt: bounds.receipt });
    return { events: entries.map((entry, at) => ({ ...entry, ...countingOf(entry.event, verdicts[at] ?? 'counted', rules) })), rejected };
  }

  private async rulesOf(organizationId: string, entries: readonly CheckedEntry[]): Promise<readonly KeyedRule[]> {
    if (entries.length === 0) return [];
    const meters = await this.use.findCurrentMeters({ organizationId, eventTypes: [...new Set(entries.map(({ event }) => event.type))] });
    return meters.flatMap(meterParts).map((part) => ({ key: part.key, rule: countingRule(part), part }));
  }
}

/** Entries of one body are received at once, so an identity that comes twice is a duplicate or a conflict at any dedupe window. */
function verdictsAmong(entries: readonly CheckedEntry[], receipt: { readonly organizationId: string; readonly receivedAt: string }): Verdict[] {
  const copies = entries.map(({ index, event }) => ({
    ...receipt,
    identity: JSON.stringify([event.source, event.id]),
    position: BigInt(index),
    timeGiven: event.timeGiven,
    payloadHash: payloadHashOf(event),
  }));
  return decideCopies(copies, { known: new Map(), dedupeWindowSeconds: () => 0 }).map(({ verdict }) => verdict);
}

function countingOf(event: NewUsageEvent, verdict: Verdict, rules: readonly KeyedRule[]): Pick<TriedEntry, 'state' | 'meters' | 'reasons'> {
  if (verdict !== 'counted') return { state: verdict, meters: [], reasons: [] };
  const time = Temporal.Instant.from(event.time);
  const ofType = rules.filter(({ part }) => isOfPart(part, { type: event.type, time }));
  const data = parseData(event.data);
  // Whose subject it is may be said later, and changes nothing about what meters count.
  const state = eventState({ data, hasCustomer: true }, ofType);
  const counting = new Set(state.meters);
  const meters = ofType.filter(({ key }) => counting.has(key)).map(({ key, rule }) => {
    const value = valueByRule(data, rule);
    assert(value.ok, 'A meter counts only what has a value.');
    return { meter: key, value: value.text, group: groupByRule(data, rule) };
  });
  return { state: meters.length > 0 ? 'counted' : 'not_counted', meters, reasons: state.reasons };
}
