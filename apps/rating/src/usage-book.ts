import type { GroupUsage } from '#domain';
import { earlier } from '#domain';

/** The usage that was read for some periods: by price, slice and end. */
export class UsageBook {
  private readonly entries = new Map<string, GroupUsage[]>();
  private readonly buckets = new Map<string, { readonly end: Temporal.Instant; readonly usage: GroupUsage }[]>();
  /** Every event acknowledged before this instant is in the book. */
  freshAsOf: Temporal.Instant;

  constructor(readAt: Temporal.Instant) {
    this.freshAsOf = readAt;
  }

  add(source: string, row: { ref: string; end: Temporal.Instant } & GroupUsage): void {
    const { ref, end, ...usage } = row;
    const key = keyOf({ source, ref, end });
    const known = this.entries.get(key);
    if (known === undefined) this.entries.set(key, [usage]);
    else known.push(usage);
  }

  /** Usage of one bucket, which `until` gathers. */
  addBucket(source: string, row: { ref: string; end: Temporal.Instant } & GroupUsage): void {
    const { ref, end, ...usage } = row;
    const key = sliceKey({ source, ref });
    const known = this.buckets.get(key);
    if (known === undefined) this.buckets.set(key, [{ end, usage }]);
    else known.push({ end, usage });
  }

  /** Replaces what stands there by one entry for all usage. */
  set(source: string, row: { ref: string; end: Temporal.Instant } & GroupUsage): void {
    const { ref, end, ...usage } = row;
    this.entries.set(keyOf({ source, ref, end }), [usage]);
  }

  readUntil(freshAsOf: Temporal.Instant): void {
    this.freshAsOf = earlier(this.freshAsOf, freshAsOf);
  }

  /** The usage of all buckets that end by then. */
  until({ source, ref, end }: { source: string; ref: string; end: Temporal.Instant }): readonly GroupUsage[] {
    return (this.buckets.get(sliceKey({ source, ref })) ?? []).flatMap((entry) => (Temporal.Instant.compare(entry.end, end) <= 0 ? [entry.usage] : []));
  }

  of(wanted: { source: string; ref: string; end: Temporal.Instant }): readonly GroupUsage[] {
    return this.entries.get(keyOf(wanted)) ?? [];
  }
}

function sliceKey({ source, ref }: { source: string; ref: string }): string {
  return `${source} ${ref}`;
}

function keyOf({ source, ref, end }: { source: string; ref: string; end: Temporal.Instant }): string {
  return `${source} ${ref} ${end.epochNanoseconds}`;
}
