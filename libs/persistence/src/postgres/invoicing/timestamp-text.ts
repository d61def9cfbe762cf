import { wholeMicrosecond } from '#domain';

/** Postgres keeps microseconds: finer digits are cut, as everywhere, so that an instant written twice is equal. */
export function timestampText(instant: Temporal.Instant): string {
  return wholeMicrosecond(instant).toString();
}

export function timestampTextOrNull(instant: Temporal.Instant | null): string | null {
  return instant === null ? null : timestampText(instant);
}
