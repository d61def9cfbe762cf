import type { Decimal } from '#domain';
import type { UsageBasis } from '#persistence';

export interface UsageSlice {
  readonly ref: string;
  readonly customerId: string;
  readonly from: Temporal.Instant;
  readonly to: Temporal.Instant;
  readonly ends: readonly Temporal.Instant[];
}

export interface SliceRequest {
  readonly organizationId: string;
  readonly meterId: string;
  /** A filter: events that pass it are left out. */
  readonly exempt: string | null;
  readonly slices: readonly UsageSlice[];
  /** By what usage is read; left out, as it is by now. */
  readonly basis?: UsageBasis | undefined;
}

/** What rating asks of the metered usage: each slice's value from its start until each of its ends, for many slices in few queries. */
export interface UsageSlices {
  /** What lasts, lasts until `now` in business time. With `isByEnd`, each end has only what lies between it and the end before. */
  readSlices(request: SliceRequest & { readonly groupBy: readonly string[]; readonly isByEnd?: boolean; readonly now: Temporal.Instant }): Promise<{
    readonly rows: readonly { readonly ref: string; readonly end: Temporal.Instant; readonly group: Readonly<Record<string, string>>; readonly value: string }[];
    readonly freshAsOf: Temporal.Instant;
  }>;
}

/** What rating asks of the events themselves, for prices that quantities don't say enough for. */
export interface SliceEvents {
  /** Slice by slice, in the order of time, source and id; `end` is the first end that the event lies before. */
  readEvents(request: SliceRequest): Promise<{
    readonly batches: AsyncIterable<readonly { readonly ref: string; readonly end: Temporal.Instant; readonly value: Decimal }[]>;
    readonly freshAsOf: Temporal.Instant;
  }>;
  /** What the events say that they cost, until each end at which there are events. */
  readStated(request: SliceRequest & { readonly path: string }): Promise<{
    readonly rows: readonly { readonly ref: string; readonly end: Temporal.Instant; readonly sum: Decimal; readonly missing: number }[];
    readonly freshAsOf: Temporal.Instant;
  }>;
}
