import { epochTime, scanInstant, type EventFault } from '#domain';

/** A `timestamp` in Unix seconds as an event's time. One that can't be read is named, and never taken for the time of the receipt. */
export function unixTime(timestamp: unknown): { readonly time: unknown; readonly faults: EventFault[] } {
  const time = epochTime(timestamp, 'seconds');
  if (time === undefined || (typeof time === 'string' && scanInstant(time) !== null)) return { time, faults: [] };
  return { time, faults: [{ pointer: '/timestamp', code: 'invalid_time', detail: 'timestamp must be Unix seconds, a number or text, with decimals or without.' }] };
}
