import type { GroupUsage } from '#domain';
import { earlier } from '#domain';

/** The usage that was read for some periods: by price, slice and end. */
export class UsageBook {
  private readonly entries = new Map<string, GroupUsage[]>();
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

  /** Replaces what stands there by one entry for all usage. */
  set(source: string, row: { ref: string; end: Temporal.Instant } & GroupUsage): void {
    const { ref, end, ...usage } = row;
    this.entries.set(keyOf({ source, ref, end }), [usage]);
  }

  readUntil(freshAsOf: Temporal.Instant): void {
    this.freshAsOf = earlier(this.freshAsOf, freshAsOf);
  }

  of(wanted: { source: string; ref: string; end: Temporal.Instant }): readonly GroupUsage[] {
    return this.entries.get(keyOf(wanted)) ?? [];
  }
}

function keyOf({ source, ref, end }: { source: string; ref: string; end: Temporal.Instant }): string {
  return `${source} ${ref} ${end.epochNanoseconds}`;
}
