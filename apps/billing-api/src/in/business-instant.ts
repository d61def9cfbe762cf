import { wholeMicrosecond } from '#domain';

/** An instant of a request, checked by its schema, to the microsecond. */
export function businessInstant(text: string): Temporal.Instant {
  return wholeMicrosecond(Temporal.Instant.from(text));
}

export function businessInstantOrNull(text: string | undefined): Temporal.Instant | null {
  return text === undefined ? null : businessInstant(text);
}
