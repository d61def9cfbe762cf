import { eventsMax } from '#contracts';
import { Problem } from '#platform';

export function tooManyEvents(): Problem {
  return new Problem({ status: 413, code: 'too_many_events', detail: `A request may have ${eventsMax} events.` });
}

export function bodyTooLarge(sizeMax: number): Problem {
  return new Problem({ status: 413, code: 'body_too_large', detail: `The body is larger than ${sizeMax} bytes when inflated.` });
}

export function tooManyValues(valuesMax: number): Problem {
  return new Problem({ status: 413, code: 'too_many_values', detail: `A request may have ${valuesMax} JSON values. Send its events in several requests, or less in each.` });
}
