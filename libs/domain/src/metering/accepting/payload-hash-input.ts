import type { NewUsageEvent } from './check-event.js';

/**
 * What is hashed to tell a duplicate from a conflict: type, subject, the sender's time if there is one, and data. The
 * lengths (in UTF-16 units) keep the parts apart; `-` stands where the sender gave no time.
 */
export function payloadHashInput(event: Pick<NewUsageEvent, 'type' | 'subject' | 'time' | 'timeGiven' | 'data'>): string {
  const { type, subject, data } = event;
  const time = event.timeGiven ? event.time : '-';
  return `${type.length}:${type}${subject.length}:${subject}${time.length}:${time}${data.length}:${data}`;
}
