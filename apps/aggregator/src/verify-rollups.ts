import type { MeterPart } from '#domain';
import { readDirtyCells, readRolledUp, type Database, type RollupDifference, type RollupVerifier, type VerifiedRange } from '#persistence';
import type { UsageRange } from './usage-range.js';

export interface Verification {
  /** False while the past of one of the versions is being built: then its usage is read from raw events, and there is nothing to compare. */
  readonly isRolledUp: boolean;
  readonly groups: bigint;
  readonly events: bigint;
  /** Hours of buckets that wait to be recomputed; whoever asks for usage reads their raw events. */
  readonly dirtyCells: number;
  /** At most `differencesMax`. */
  readonly differences: readonly RollupDifference[];
  readonly hasMore: boolean;
}

export const differencesMax = 100;
const hourSeconds = 3_600;
/** Hours in one query: its memory is bounded, and so is what it may have to do again. */
const hoursPerQueryMax = 7 * 24;
/** More marks than this in a part are not told apart: the whole part waits to be recomputed. */
const cellsMax = 20_000;

/**
 * Compares the rollups of a meter's versions with what its raw events say, over the whole hours that each of them counts; an hour
 * that two versions share is always read from raw events. What differs is looked at twice: an event that
 * comes between the reading of marks and events marks its hour, so that it is left out the second time, or is in both then.
 */
export class VerifyRollups {
  constructor(private readonly use: { readonly database: Database; readonly verifier: RollupVerifier }) {}

  async execute(parts: readonly MeterPart[], range: UsageRange): Promise<Verification> {
    const found = { isRolledUp: true, groups: 0n, events: 0n, dirtyCells: 0, differences: [] as RollupDifference[] };
    for (const part of parts) {
      const hours = wholeHours(part, range);
      if (hours.from >= hours.to) continue;
      const isRolledUp = await this.use.database.inOrganization(part.organizationId, async (manager) => (await readRolledUp(manager, [part])).has(part));
      if (isRolledUp) await this.compare(part, { ...hours, found });
      else found.isRolledUp = false;
    }
    return { ...found, differences: found.differences.slice(0, differencesMax), hasMore: found.differences.length > differencesMax };
  }

  private async compare(meter: MeterPart, { from: first, to: last, found }: HourRange & { readonly found: Findings }): Promise<void> {
    for (let from = first; from < last; from += hoursPerQueryMax * hourSeconds) {
      const part = await this.readMarks(meter, { from, to: Math.min(last, from + hoursPerQueryMax * hourSeconds) });
      if (part === null) {
        found.dirtyCells += cellsMax;
        continue;
      }
      const compared = await this.use.verifier.compare(meter, part);
      found.groups += compared.groups;
      found.events += compared.events;
      found.dirtyCells += part.dirty.length;
      if (compared.differences > 0n && found.differences.length <= differencesMax) found.differences.push(...(await this.lastingDifferences(meter, part)));
    }
  }

  private async lastingDifferences(meter: MeterPart, part: VerifiedRange): Promise<RollupDifference[]> {
    const limit = differencesMax + 1;
    const before = await this.use.verifier.differences(meter, { ...part, limit });
    const marked = await this.readMarks(meter, part);
    if (marked === null) return [];
    const again = new Set((await this.use.verifier.differences(meter, { ...marked, limit })).map(textOf));
    return before.filter((difference) => again.has(textOf(difference)));
  }

  /** Null where there are too many marks to be told apart. */
  private async readMarks(meter: MeterPart, { from, to }: HourRange): Promise<VerifiedRange | null> {
    const dirty = await this.use.database.inOrganization(meter.organizationId, (manager) =>
      readDirtyCells(manager, {
        organizationId: meter.organizationId, eventType: meter.eventType, buckets: null, limit: cellsMax + 1,
        from: Temporal.Instant.fromEpochMilliseconds(from * 1_000), to: Temporal.Instant.fromEpochMilliseconds(to * 1_000),
      }),
    );
    return dirty.length > cellsMax ? null : { from, to, dirty };
  }
}

type HourRange = Pick<VerifiedRange, 'from' | 'to'>;

interface Findings {
  groups: bigint;
  events: bigint;
  dirtyCells: number;
  readonly differences: RollupDifference[];
}

/** The whole hours of a range of whole hours that lie in a version's time, in seconds since 1970. */
function wholeHours({ from, until }: MeterPart, range: UsageRange): HourRange {
  const [first, last] = [secondsOf(range.from), secondsOf(range.to)];
  return {
    from: from === null ? first : Math.max(first, secondsOf(from.round({ smallestUnit: 'hour', roundingMode: 'ceil' }))),
    to: until === null ? last : Math.min(last, secondsOf(until.round({ smallestUnit: 'hour', roundingMode: 'floor' }))),
  };
}

function secondsOf(instant: Temporal.Instant): number {
  return instant.epochMilliseconds / 1_000;
}

function textOf({ hour, subject, group, rawEvents, rollupEvents, rawValue, rollupValue }: RollupDifference): string {
  return JSON.stringify([hour, subject, group, `${rawEvents}`, `${rollupEvents}`, rawValue, rollupValue]);
}
