import type { EventsAnswerBody } from '#contracts';
import type { NewUsageEvent } from '#domain';
import { Problem } from '#platform';

export interface MeterEventAnswer {
  readonly event: NewUsageEvent;
  readonly receivedAt: string;
  readonly isLive: boolean;
}

/** The event as Stripe's API v1 shows it: instants in whole Unix seconds. */
export function meterEventV1Text({ event, receivedAt, isLive }: MeterEventAnswer): string {
  return withPayload(event, { object: 'billing.meter_event', created: unixSeconds(receivedAt), event_name: event.type, identifier: event.id, livemode: isLive, timestamp: unixSeconds(event.time) });
}

/** The same as API v2 shows it. */
export function meterEventV2Text({ event, receivedAt, isLive }: MeterEventAnswer): string {
  return withPayload(event, { object: 'v2.billing.meter_event', created: receivedAt, event_name: event.type, identifier: event.id, livemode: isLive, timestamp: event.time });
}

/** The data are JSON text already. */
function withPayload({ data }: NewUsageEvent, fields: object): string {
  return `${JSON.stringify(fields).slice(0, -1)},"payload":${data}}`;
}

function unixSeconds(instant: string): number {
  return Math.floor(Temporal.Instant.from(instant).epochMilliseconds / 1_000);
}

export const sessionExpiredCode = 'billing_meter_event_session_expired';

/** The refusal of one event, in Stripe's names for its fields. */
export function meterEventRefusal({ rejected }: EventsAnswerBody, version: 'v1' | 'v2'): Problem {
  const { detail = '', errors = [] } = rejected[0] ?? {};
  const isMissing = errors[0]?.code === 'missing_field';
  const code = version === 'v2' ? 'invalid_fields' : isMissing ? 'parameter_missing' : (errors[0]?.code ?? '');
  return new Problem({ status: 400, code, detail, errors });
}

/** The refusal of a stream in which nothing was acceptable. Pointers lead into the body. */
export function streamRefusal({ rejected }: EventsAnswerBody): Problem {
  const errors = rejected.flatMap(({ index, errors: faults }) => faults.map((fault) => ({ ...fault, pointer: `/events/${index}${fault.pointer}` })));
  return new Problem({ status: 400, code: 'invalid_fields', detail: `None of the ${rejected.length} events was accepted. ${rejected[0]?.detail ?? ''}`, errors });
}

/** The body of an error of Stripe: `param` names the first faulty field, `errors` has every fault. */
export function stripeErrorBody({ status, code, detail, errors }: Problem): object {
  const param = paramOf(errors?.[0]?.pointer ?? '');
  return { error: { type: typeOf(status, code), code, message: detail, ...(param === '' ? {} : { param }), ...(errors === undefined ? {} : { errors }) } };
}

function typeOf(status: number, code: string): string {
  if (code === sessionExpiredCode) return 'temporary_session_expired';
  return status >= 500 ? 'api_error' : 'invalid_request_error';
}

/** `/payload/value` as `payload[value]`. */
function paramOf(pointer: string): string {
  const [head = '', ...rest] = pointer.split('/').slice(1);
  return head + rest.map((part) => `[${part}]`).join('');
}
