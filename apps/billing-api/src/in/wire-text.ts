import { wholeMicrosecond } from '#domain';

/** Instants on the wire: RFC 3339 in UTC, to the microsecond. */
export function instantText(instant: Temporal.Instant): string;
export function instantText(instant: Temporal.Instant | null): string | null;
export function instantText(instant: Temporal.Instant | null): string | null {
  return instant === null ? null : wholeMicrosecond(instant).toString();
}
