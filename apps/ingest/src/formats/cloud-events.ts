import type { IncomingHttpHeaders } from 'node:http';
import type { EventFault } from '#domain';
import type { ReceivedBatch, ReceivedEvent } from '../received-batch.js';
import { exactEvent, jsonEvents, parseJson } from './json-events.js';

const specVersion = '1.0';

/** CloudEvents as JSON, one or an array of them. */
export function cloudEvents(text: string): ReceivedBatch {
  return cloudEventsOf(jsonEvents(text));
}

export function cloudEventsOf(batch: ReceivedBatch): ReceivedBatch {
  return { ...batch, events: batch.events.map(cloudEvent) };
}

/** Attributes that Tollway has no use for are left aside; the version is one that this code was written for, or the event is refused. */
function cloudEvent(event: ReceivedEvent): ReceivedEvent {
  const { value } = event;
  if (event.faults !== undefined || typeof value !== 'object' || value === null || Array.isArray(value)) return event;
  const attributes = value as Record<string, unknown>;
  const version = attributes.specversion;
  if (version === undefined || version === null) {
    return { ...event, faults: [{ pointer: '/specversion', code: 'missing_field', detail: 'A CloudEvent needs its specversion.' }] };
  }
  if (version !== specVersion) {
    return { ...event, faults: [{ pointer: '/specversion', code: 'unknown_format', detail: `specversion must be "${specVersion}".` }] };
  }
  const hasData = attributes.data !== undefined && attributes.data !== null;
  return hasData || typeof attributes.data_base64 !== 'string' ? event : withDecodedData(attributes, attributes.data_base64);
}

function withDecodedData(attributes: Record<string, unknown>, base64: string): ReceivedEvent {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.fromBase64(base64));
    return { value: { ...attributes, data: exactEvent(JSON.parse(text), text).value } };
  } catch {
    return { value: attributes, faults: [{ pointer: '/data_base64', code: 'invalid_type', detail: 'data_base64 must be JSON in UTF-8, encoded in base64.' }] };
  }
}

const attributeNames = ['specversion', 'id', 'source', 'type', 'subject', 'time'] as const;

/** Whether the request carries one CloudEvent in binary mode: its attributes in headers, its data in the body. */
export function isBinaryCloudEvent(headers: IncomingHttpHeaders): boolean {
  return headers['ce-specversion'] !== undefined || headers['ce-id'] !== undefined || headers['ce-type'] !== undefined;
}

export function binaryCloudEvent(headers: IncomingHttpHeaders, text: string): ReceivedBatch {
  const attributes: Record<string, unknown> = {};
  const faults: EventFault[] = [];
  for (const name of attributeNames) {
    const header = headers[`ce-${name}`];
    if (header === undefined) continue;
    const value = decodedHeader(String(header));
    if (value === null) faults.push({ pointer: `/${name}`, code: 'invalid_string', detail: `The header ce-${name} is no UTF-8 once its percent signs are decoded.` });
    else attributes[name] = value;
  }
  const hasData = text.trim() !== '';
  const data = hasData ? exactEvent(parseJson(text), text).value : undefined;
  const event = cloudEvent({ value: { ...attributes, data } });
  const all = [...(event.faults ?? []), ...faults];
  const payload = `${JSON.stringify(attributes).slice(0, -1)}${hasData ? `${Object.keys(attributes).length > 0 ? ',' : ''}"data":${text.trim()}` : ''}}`;
  return { events: [{ value: event.value, ...(all.length > 0 ? { faults: all } : {}) }], payloadOf: () => payload };
}

/** Header values are percent-encoded UTF-8, quoted or not; exactly one round is undone. Null where the bytes are no UTF-8. */
function decodedHeader(header: string): string | null {
  const unquoted = /^".*"$/s.test(header) && header.length >= 2 ? header.slice(1, -1).replace(/\\(.)/gs, '$1') : header;
  const decoded = unquoted.replace(/%([\da-fA-F]{2})/g, (...[, hex = '']: string[]) => String.fromCharCode(Number.parseInt(hex, 16)));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(decoded, 'latin1'));
  } catch {
    return null;
  }
}
