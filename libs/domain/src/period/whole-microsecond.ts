/** An instant cut to the microsecond, which is as exact as instants are kept. */
export function wholeMicrosecond(instant: Temporal.Instant): Temporal.Instant {
  return instant.round(floor);
}

const floor = { smallestUnit: 'microsecond', roundingMode: 'floor' } as const;
