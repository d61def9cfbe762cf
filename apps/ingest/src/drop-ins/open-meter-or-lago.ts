import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject, memberText } from '#domain';
import { Problem } from '#platform';
import { bodyText } from '../formats/body-text.js';
import { cloudEvents, cloudEventsOf } from '../formats/cloud-events.js';
import { batchOf, exactEvent, parseJson } from '../formats/json-events.js';
import { requiredType, takesJson } from '../in/media-type.js';
import type { ReceivedBatch } from '../received-batch.js';
import { lagoEvents } from './lago-events.js';

export interface DropInBatch extends ReceivedBatch {
  readonly client: 'openmeter' | 'lago';
}

/** The events of a request to `/api/v1/events`, where clients of OpenMeter and of Lago post: the body says whose it is. */
export function openMeterOrLagoEvents(headers: IncomingHttpHeaders, body: Buffer): DropInBatch {
  const type = requiredType(headers, takesJson);
  const text = bodyText(body);
  const parsed = parseJson(text);
  const [first] = Array.isArray(parsed) ? (parsed as unknown[]) : [parsed];
  if (type.startsWith('application/cloudevents') || hasMember(first, 'specversion')) {
    return { client: 'openmeter', ...cloudEventsOf(batchOf({ body: parsed, text, wrapper: null })) };
  }
  if (hasMember(parsed, 'event')) {
    const eventText = memberText(text, { name: 'event' });
    return { client: 'lago', ...lagoEvents({ events: [exactEvent(parsed.event, eventText)], payloadOf: () => eventText }) };
  }
  throw unreadable('Send CloudEvents as OpenMeter takes them, one or an array, each with its "specversion"; or {"event": {…}} as Lago does, whose batches go to /api/v1/events/batch.');
}

export function openMeterEvents(headers: IncomingHttpHeaders, body: Buffer): ReceivedBatch {
  requiredType(headers, takesJson);
  return cloudEvents(bodyText(body));
}

export function lagoBatch(headers: IncomingHttpHeaders, body: Buffer): ReceivedBatch {
  requiredType(headers, takesJson);
  const text = bodyText(body);
  const parsed = parseJson(text);
  if (!hasMember(parsed, 'events') || !Array.isArray(parsed.events)) throw unreadable('Send {"events": […]} as Lago does.');
  return lagoEvents(batchOf({ body: parsed, text, wrapper: 'events' }));
}

function hasMember<Name extends string>(value: unknown, name: Name): value is Readonly<Record<Name, unknown>> {
  return isJsonObject(value) && Object.hasOwn(value, name);
}

function unreadable(detail: string): Problem {
  return new Problem({ status: 400, code: 'unknown_format', detail });
}
