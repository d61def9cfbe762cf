/** Why an event is refused. */
export type EventFaultCode =
  | 'missing_field' | 'invalid_type' | 'invalid_string' | 'too_long' | 'invalid_time' | 'too_old' | 'too_deep' | 'too_large' | 'number_out_of_range'
  | 'unknown_format';

export interface EventFault {
  /** RFC 6901 pointer into the event; empty for the event as a whole. */
  readonly pointer: string;
  readonly code: EventFaultCode;
  readonly detail: string;
}
