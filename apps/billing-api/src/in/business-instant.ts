/** An instant of a request, checked by its schema, to the microsecond. */
export function businessInstant(text: string): Temporal.Instant {
  return Temporal.Instant.from(text).round({ smallestUnit: 'microsecond', roundingMode: 'floor' });
}

export function businessInstantOrNull(text: string | undefined): Temporal.Instant | null {
  return text === undefined ? null : businessInstant(text);
}
