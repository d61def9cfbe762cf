import { earlier, later } from '../period/period.js';
import { compareBytewise } from '../rating/compare-bytewise.js';
import { meterDefinition, type Meter, type MeterDefinition } from './meter.js';

/** A meter as one of its versions has it, and the events that are this version's: those whose time is in [from, until). */
export interface MeterPart extends Omit<Meter, 'versions'> {
  readonly version: number;
  /** Null from the beginning. */
  readonly from: Temporal.Instant | null;
  /** Null without end. Equal to `from` where a later version took all of its time before it counted anything. */
  readonly until: Temporal.Instant | null;
}

/** A stretch of a range in which one version counts; half-open, never empty. */
export interface MeterStretch {
  readonly part: MeterPart;
  readonly from: Temporal.Instant;
  readonly to: Temporal.Instant;
}

/**
 * The versions of a meter with the time that each one counts, in the order of their numbers. A version counts from its
 * instant on, whatever earlier ones said about that time, so making a version only ever shortens the time of others.
 */
export function meterParts(meter: Meter): MeterPart[] {
  const { versions, ...own } = meter;
  if (versions === undefined) return [{ ...own, version: 1, from: null, until: null }];
  const parts: MeterPart[] = [];
  let nextFrom: Temporal.Instant | null = null;
  for (const { number, effectiveAt, definition } of versions.toReversed()) {
    const isTaken: boolean = nextFrom !== null && effectiveAt !== null && Temporal.Instant.compare(effectiveAt, nextFrom) >= 0;
    parts.push({ ...own, ...definition, version: number, from: effectiveAt, until: isTaken ? effectiveAt : nextFrom });
    if (!isTaken) nextFrom = effectiveAt;
  }
  return parts.reverse();
}

/** Which versions count in a range, in the order of time: the stretches follow each other and are the whole range. */
export function stretchesWithin(meter: Meter, range: { readonly from: Temporal.Instant; readonly to: Temporal.Instant }): MeterStretch[] {
  const stretches = meterParts(meter).flatMap((part): MeterStretch[] => {
    const from = part.from === null ? range.from : later(range.from, part.from);
    const to = part.until === null ? range.to : earlier(range.to, part.until);
    return Temporal.Instant.compare(from, to) < 0 ? [{ part, from, to }] : [];
  });
  return stretches.sort((a, b) => Temporal.Instant.compare(a.from, b.from));
}

/** Whether an event is this version's, as far as its type and time say. */
export function isOfPart({ eventType, from, until }: MeterPart, event: { readonly type: string; readonly time: Temporal.Instant }): boolean {
  if (eventType !== event.type) return false;
  return (from === null || Temporal.Instant.compare(from, event.time) <= 0) && (until === null || Temporal.Instant.compare(event.time, until) < 0);
}

/** Whether all events from an instant on are counted by this definition already. */
export function countsSo(meter: Meter, wanted: { readonly from: Temporal.Instant; readonly definition: MeterDefinition }): boolean {
  const definition = meterDefinition(wanted.definition);
  return meterParts(meter)
    .filter(({ from, until }) => until === null || (Temporal.Instant.compare(until, wanted.from) > 0 && !(from !== null && from.equals(until))))
    .every((part) => meterDefinition(part) === definition);
}

/** The names of the dimensions of all versions, bytewise. Events of a version that lacks one have the text "" there. */
export function meterDimensions(meter: Meter): string[] {
  return [...new Set(meterParts(meter).flatMap(({ groupBy }) => Object.keys(groupBy)))].sort(compareBytewise);
}

/** What a version's rollups are stored under: each version has its own, so that none is ever read as another's. */
export function rollupsName({ id, version }: Pick<MeterPart, 'id' | 'version'>): string {
  return version === 1 ? id : `${id}/${version}`;
}
