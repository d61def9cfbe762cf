/** What became of a log position. Only counted ones are events; a duplicate repeats one, a conflict contradicts one. */
export type Verdict = 'counted' | 'duplicate' | 'conflict';

/** What of a copy its verdict follows from. */
export interface Copy {
  /** Equal for all copies of one event. */
  readonly identity: string;
  readonly organizationId: string;
  readonly position: bigint;
  /** System time, RFC 3339 with six digits. */
  readonly receivedAt: string;
  readonly timeGiven: boolean;
  readonly payloadHash: string;
}

/** A copy that was counted before, or earlier in the same batch. */
export type CountedCopy = Omit<Copy, 'organizationId' | 'identity'>;

export interface Decision<C, K> {
  readonly copy: C;
  readonly verdict: Verdict;
  /** The copy that counts in its stead; null for a counted one. */
  readonly counted: K | C | null;
}

/**
 * Decides copies of one partition, in log order. The earlier copy counts. `known` has the counted copies of the identities
 * that occur, as far as they are kept: one at the copy's own position is the copy itself, delivered again; later ones are
 * of another day's deliveries and say nothing. So the verdict of a position is always the same, however often and in
 * whatever cut it is delivered.
 */
export function decideCopies<C extends Copy, K extends CountedCopy>(
  copies: readonly C[],
  input: { readonly known: ReadonlyMap<string, readonly K[]>; readonly dedupeWindowSeconds: (organizationId: string) => number },
): Decision<C, K>[] {
  const inBatch = new Map<string, C>();
  return copies.map((copy) => {
    const earlier = later(latestBefore(copy, input.known.get(copy.identity)), inBatch.get(copy.identity));
    const verdict = verdictOf(copy, earlier, input.dedupeWindowSeconds(copy.organizationId));
    if (verdict === 'counted') inBatch.set(copy.identity, copy);
    return { copy, verdict, counted: verdict === 'counted' ? null : earlier };
  });
}

function verdictOf(copy: Copy, earlier: CountedCopy | null, windowSeconds: number): Verdict {
  if (earlier === null || earlier.position === copy.position) return 'counted';
  const isEqual = earlier.payloadHash === copy.payloadHash;
  // With a time of the sender's own, equal copies are one event for ever: they have one key in the store as well.
  if (isEqual && copy.timeGiven) return 'duplicate';
  if (!isWithin(windowSeconds, { from: earlier.receivedAt, to: copy.receivedAt })) return 'counted';
  return isEqual ? 'duplicate' : 'conflict';
}

function isWithin(windowSeconds: number, receipts: { readonly from: string; readonly to: string }): boolean {
  const end = Temporal.Instant.from(receipts.from).add({ seconds: windowSeconds });
  return Temporal.Instant.compare(Temporal.Instant.from(receipts.to), end) <= 0;
}

function latestBefore<K extends CountedCopy>(copy: Copy, counted: readonly K[] = []): K | null {
  let latest: K | null = null;
  for (const candidate of counted) {
    if (candidate.position <= copy.position && (latest === null || candidate.position > latest.position)) latest = candidate;
  }
  return latest;
}

/** `inBatch` is the last one that was counted before in this batch, so it is never behind the copy that is judged. */
function later<K extends CountedCopy, C extends CountedCopy>(known: K | null, inBatch: C | undefined): K | C | null {
  if (inBatch === undefined) return known;
  return known === null || inBatch.position > known.position ? inBatch : known;
}
