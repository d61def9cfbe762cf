/** What a correction does to its event: another data, or nothing of it counts. */
export type CorrectionKind = 'amendment' | 'void';

/** What of a correction its effect follows from. */
export interface Correction {
  readonly kind: CorrectionKind;
  readonly position: bigint;
  /** System time, RFC 3339 with six digits. */
  readonly receivedAt: string;
  /** Event time before which hours were sealed when the correction came; null where events are kept for ever. */
  readonly sealedBefore: string | null;
}

/** What of a counted event decides which corrections are its own. */
export interface CorrectableEvent {
  readonly position: bigint;
  readonly receivedAt: string;
  readonly time: string;
}

export interface CorrectedEvent<E, C> {
  readonly event: E;
  /** The first void, or the last amendment where there is none: its place in the log ranks the event's row. */
  readonly decisive: C;
  /** Whose data the event has; null where it has its own. A void leaves the data that it found. */
  readonly amendment: C | null;
}

/**
 * Gives the counted events of one identity what its corrections make of them. A correction belongs to the event that was
 * counted last before it; where there is none, to the first one counted after it within the window. So the same log comes
 * to the same result, however it was cut, as long as all that stands before a record is known with it.
 */
export function correctEvents<E extends CorrectableEvent, C extends Correction>(
  events: readonly E[], corrections: readonly C[], windowSeconds: number,
): CorrectedEvent<E, C>[] {
  const eventsInOrder = [...events].sort(byPosition);
  const ownOf = Map.groupBy([...corrections].sort(byPosition), (correction) => targetOf(correction, eventsInOrder, windowSeconds));
  return eventsInOrder.flatMap((event) => {
    const own = ownOf.get(event) ?? [];
    const firstVoid = own.find(({ kind }) => kind === 'void') ?? null;
    const amendment = own.findLast((correction) => correction.kind === 'amendment' && (firstVoid === null || correction.position < firstVoid.position)) ?? null;
    const decisive = firstVoid ?? amendment;
    return decisive === null ? [] : [{ event, decisive, amendment }];
  });
}

function targetOf<E extends CorrectableEvent>(correction: Correction, events: readonly E[], windowSeconds: number): E | null {
  const target = events.findLast(({ position }) => position < correction.position) ?? events.find((event) => isAwaited(event, correction, windowSeconds)) ?? null;
  // The raw events of a sealed hour may be gone, so nothing in it changes any more.
  return target !== null && correction.sealedBefore !== null && target.time < correction.sealedBefore ? null : target;
}

function isAwaited(event: CorrectableEvent, correction: Correction, windowSeconds: number): boolean {
  if (event.position <= correction.position) return false;
  const end = Temporal.Instant.from(correction.receivedAt).add({ seconds: windowSeconds });
  return Temporal.Instant.compare(Temporal.Instant.from(event.receivedAt), end) <= 0;
}

function byPosition(a: { readonly position: bigint }, b: { readonly position: bigint }): number {
  return a.position < b.position ? -1 : a.position > b.position ? 1 : 0;
}
