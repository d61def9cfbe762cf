import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject, type EventFault, type EventFieldNames, type JsonObject } from '#domain';
import { Problem } from '#platform';
import { bodyText } from '../formats/body-text.js';
import { batchOf, parseJson } from '../formats/json-events.js';
import { requiredType, takesJson, type TakenType } from '../in/media-type.js';
import type { ReceivedBatch } from '../received-batch.js';
import { mappedBatch, type MappedEvent } from './mapped-batch.js';
import { unixTime } from './unix-time.js';

const source = 'stripe';
const names: EventFieldNames = { id: 'identifier', source: 'source', type: 'event_name', subject: 'payload.stripe_customer_id', time: 'timestamp', data: 'payload' };
const takesForm: TakenType = { isTaken: (type) => type === 'application/x-www-form-urlencoded', example: 'application/x-www-form-urlencoded' };

export interface MeterEventRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The identifier of an event that has none, by its place in the request. */
  readonly makeIdentifier: (index: number) => string;
}

/** `POST /v1/billing/meter_events`: a form, its timestamp in Unix seconds. */
export function meterEventV1({ headers, body, makeIdentifier }: MeterEventRequest): ReceivedBatch {
  requiredType(headers, takesForm);
  const text = bodyText(body);
  const map = (sent: JsonObject, index: number): MappedEvent => {
    const { time, faults } = unixTime(sent.timestamp);
    return mapped(sent, { time, faults, madeIdentifier: makeIdentifier(index) });
  };
  return mappedBatch({ events: [{ value: formEvent(text) }], payloadOf: () => text }, { names, map });
}

/** `POST /v2/billing/meter_events`: one event as JSON. */
export function meterEventV2(request: MeterEventRequest): ReceivedBatch {
  const { body, text } = jsonBody(request);
  if (!isJsonObject(body)) throw unreadable('Send one meter event as a JSON object.');
  return jsonEvents(batchOf({ body, text, wrapper: null }), request);
}

/** `POST /v2/billing/meter_event_stream`: many. */
export function meterEventStream(request: MeterEventRequest): ReceivedBatch {
  const { body, text } = jsonBody(request);
  if (!isJsonObject(body) || !Object.hasOwn(body, 'events') || !Array.isArray(body.events)) throw unreadable('Send {"events": […]}.');
  return jsonEvents(batchOf({ body, text, wrapper: 'events' }), request);
}

function jsonBody({ headers, body }: MeterEventRequest): { readonly body: unknown; readonly text: string } {
  requiredType(headers, takesJson);
  const text = bodyText(body);
  return { body: parseJson(text), text };
}

function jsonEvents(batch: ReceivedBatch, { makeIdentifier }: MeterEventRequest): ReceivedBatch {
  return mappedBatch(batch, { names, map: (sent, index) => mapped(sent, { time: sent.timestamp, faults: [], madeIdentifier: makeIdentifier(index) }) });
}

function mapped(sent: JsonObject, { time, faults, madeIdentifier }: { readonly time: unknown; readonly faults: readonly EventFault[]; readonly madeIdentifier: string }): MappedEvent {
  const { identifier, event_name: type, payload } = sent;
  const subject = isJsonObject(payload) && Object.hasOwn(payload, 'stripe_customer_id') ? payload.stripe_customer_id : undefined;
  return { value: { id: identifier ?? madeIdentifier, source, type, subject, time, data: payload }, faults };
}

const payloadMember = /^payload\[([^[\]]*)\]$/;

/** `event_name=…&payload[value]=…`; of a name that stands there twice the last one counts, others are left aside. Without prototypes `__proto__` is a name like any other. */
function formEvent(text: string): JsonObject {
  const event = Object.create(null) as Record<string, unknown>;
  const payload = Object.create(null) as Record<string, string>;
  for (const [name, value] of new URLSearchParams(text)) {
    const member = payloadMember.exec(name)?.[1];
    if (member === undefined) event[name] = value;
    else payload[member] = value;
  }
  if (Object.keys(payload).length > 0) event.payload = payload;
  return event;
}

function unreadable(detail: string): Problem {
  return new Problem({ status: 400, code: 'unknown_format', detail });
}
