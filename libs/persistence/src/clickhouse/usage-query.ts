import type { Meter, UsageWindows } from '#domain';
import type { Refusal } from '#platform';
import type { UsageBasis } from './usage-basis.js';

/** A question about one meter's usage. */
export interface UsageQuery {
  readonly meter: Meter;
  readonly from: Temporal.Instant;
  readonly to: Temporal.Instant;
  readonly windows: UsageWindows;
  /** Null where usage is not limited to some customers. */
  readonly customerIds: readonly string[] | null;
  readonly subjects: readonly string[] | null;
  /** Dimensions of the meter, in the order of the answer's groups. */
  readonly groupBy: readonly string[];
  readonly groupsByCustomer: boolean;
  readonly groupsBySubject: boolean;
  /** Dimension to the texts that are let through. */
  readonly filters: Readonly<Record<string, readonly string[]>>;
  /** In which order groups stand in each window: by their keys, or by their value over the whole range, equal ones by their keys. */
  readonly groupOrder: GroupOrder;
  /** How many groups are shown; the rest is one row in each window, for counts and sums. Null for all. */
  readonly groupsMax: number | null;
  /** Rows of zero for windows without usage; only counts and sums have one. */
  readonly fillsZero: boolean;
  readonly rowsMax: number;
}

export type GroupOrder = 'key' | 'least_first' | 'greatest_first';

export interface UsageRow {
  readonly windowStart: Temporal.Instant;
  readonly windowEnd: Temporal.Instant;
  /** Null for usage of subjects that belong to no customer; undefined where it was not asked for. */
  readonly customerId?: string | null;
  readonly subject?: string;
  readonly group: Readonly<Record<string, string>>;
  /** Shortest decimal. */
  readonly value: string;
  /** The group's place in an order by value or under a limit, from 1; null where groups stand by their keys. */
  readonly place: number | null;
  /** Whether it stands for all groups that are not shown. */
  readonly isRest: boolean;
}

export interface Usage {
  /** Sorted by window, then by the order of groups. */
  readonly rows: readonly UsageRow[];
  /** How many groups there are, shown or not; null where nothing limits them. */
  readonly groupsTotal: number | null;
  /** Every event acknowledged before this instant is in the rows. */
  readonly freshAsOf: Temporal.Instant;
}

export type UsageRefusal = Refusal<'result_too_large'>;

/** One subscription's period, say: what a customer used from `from` until each of `ends`. */
export interface UsageSlice {
  /** The caller's own name for it. */
  readonly ref: string;
  readonly customerId: string;
  readonly from: Temporal.Instant;
  readonly to: Temporal.Instant;
  /** Within (from, to]; the answer has a row for each at which there is usage. */
  readonly ends: readonly Temporal.Instant[];
}

export interface SliceQuery {
  readonly organizationId: string;
  readonly meterId: string;
  /** A filter, as meters have it: events that pass it are left out. */
  readonly exempt?: string | null;
  readonly groupBy: readonly string[];
  /** Whether each end has only what lies between it and the end before; else everything since the slice's beginning. */
  readonly isByEnd?: boolean;
  /** Business time: a value lasts until now, not until the end of a slice that is still open. */
  readonly now: Temporal.Instant;
  readonly slices: readonly UsageSlice[];
  /** Left out, everything is read as it is by now. */
  readonly basis?: UsageBasis | undefined;
}

export interface SliceRow {
  readonly ref: string;
  readonly end: Temporal.Instant;
  readonly group: Readonly<Record<string, string>>;
  /** The meter's value over [from, end), shortest decimal. */
  readonly value: string;
}

export interface SlicedUsage {
  readonly rows: readonly SliceRow[];
  readonly freshAsOf: Temporal.Instant;
}
