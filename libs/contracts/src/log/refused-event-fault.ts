/** Why an event is refused. The first fault's code is the event's. */
export const refusedEventCodes = [
  'missing_field', 'invalid_type', 'invalid_string', 'too_long', 'invalid_time', 'too_old', 'too_deep', 'too_large', 'unknown_format', 'number_out_of_range',
] as const;

export type RefusedEventCode = (typeof refusedEventCodes)[number];

export interface RefusedEventFault {
  /** RFC 6901 pointer into the event. */
  readonly pointer: string;
  readonly code: RefusedEventCode;
  readonly detail: string;
}
