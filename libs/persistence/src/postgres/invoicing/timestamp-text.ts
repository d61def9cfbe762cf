/** Postgres keeps microseconds: finer digits are cut, as everywhere, so that an instant written twice is equal. */
export function timestampText(instant: Temporal.Instant): string {
  return instant.round({ smallestUnit: 'microsecond', roundingMode: 'floor' }).toString();
}

export function timestampTextOrNull(instant: Temporal.Instant | null): string | null {
  return instant === null ? null : timestampText(instant);
}
