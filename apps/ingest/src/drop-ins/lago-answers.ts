import { hash } from 'node:crypto';
import { usageEventKey, type EventsAnswerBody, type RefusedEventCode } from '#contracts';
import { memberText, type NewUsageEvent } from '#domain';
import { Problem } from '#platform';
import type { AcceptedBatch } from '../accept-events.js';
import { preciseAmount } from './lago-events.js';

/** The accepted events as Lago shows events. A repeat is shown as its first copy was: Lago's own id is made of the identity. */
export function lagoEventTexts({ events, receivedAt }: Pick<AcceptedBatch, 'events' | 'receivedAt'>, organizationId: string): string[] {
  return events.map((event) => lagoEventText(event, { organizationId, receivedAt }));
}

function lagoEventText(event: NewUsageEvent, { organizationId, receivedAt }: { readonly organizationId: string; readonly receivedAt: string }): string {
  const fields = {
    lago_id: uuidOf(usageEventKey({ organization: organizationId, source: event.source, id: event.id })),
    transaction_id: event.id,
    lago_customer_id: null,
    code: event.type,
    timestamp: event.time,
    lago_subscription_id: null,
    external_subscription_id: event.subject,
    created_at: receivedAt,
  };
  const amount = memberText(event.data, { name: preciseAmount });
  // The data are JSON text already, with all digits of their numbers.
  return `${JSON.stringify(fields).slice(0, -1)},"${preciseAmount}":${amount === '' ? 'null' : amount},"properties":${event.data}}`;
}

/** A UUID of version 8, the same for the same text. */
function uuidOf(text: string): string {
  const digits = hash('sha256', text, 'hex');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}

const lagoCodes: Readonly<Record<RefusedEventCode, string>> = {
  missing_field: 'value_is_mandatory', invalid_type: 'invalid_format', invalid_string: 'invalid_format', too_long: 'value_is_too_long', invalid_time: 'invalid_format', too_old: 'value_is_out_of_range',
  too_deep: 'invalid_format', too_large: 'value_is_too_long', unknown_format: 'invalid_format', number_out_of_range: 'value_is_out_of_range',
};

type ErrorDetails = Record<string, string[]>;

/**
 * Lago's refusal: `error_details` has the faulty fields, of a batch by the event's place in it. Unlike Lago's, it takes
 * nothing back: the other events of the batch are accepted, since sending them again is safe and forgetting them is not.
 */
export function lagoRefusal({ accepted, rejected }: EventsAnswerBody, kind: 'event' | 'batch'): Problem {
  const details = rejected.map(({ index, errors }) => [String(index), detailsOf(errors)] as const);
  const sentence = `${rejected.length} of ${accepted + rejected.length} events ${rejected.length === 1 ? 'was' : 'were'} refused${accepted > 0 ? '; the others are accepted' : ''}.`;
  return new Problem({
    status: 422,
    code: 'validation_errors',
    detail: kind === 'event' ? `The event was refused. ${rejected[0]?.detail ?? ''}` : sentence,
    errors: rejected.length === 1 ? rejected[0]?.errors : undefined,
    extensions: { error_details: kind === 'event' ? details[0]?.[1] : Object.fromEntries(details), accepted, rejected },
  });
}

function detailsOf(errors: EventsAnswerBody['rejected'][number]['errors']): ErrorDetails {
  const details: ErrorDetails = {};
  for (const { pointer, code } of errors) (details[pointer.split('/', 2)[1] ?? 'event'] ??= []).push(lagoCodes[code]);
  return details;
}
