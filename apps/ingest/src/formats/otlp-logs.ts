import { eventsMax } from '#contracts';
import { isIdentityText, isJsonObject, otlpAttributes, otlpEvent, valueAt, type JsonObject, type LineIdentity } from '#domain';
import { Problem } from '#platform';
import type { ReceivedBatch, ReceivedEvent } from '../received-batch.js';
import { bodyText } from './body-text.js';
import { eventText } from './event-text.js';
import { postedEvent } from './gateway-events.js';
import { exactEvent, parseJson } from './json-events.js';
import { identifyLines, type IdentifiedLine } from './line-identity.js';
import { decodeExportRequest } from './otlp-protobuf.js';
import { tooManyEvents } from './too-large.js';

const source = 'otlp';

/** The events of an OTLP export request; throws 400 where the body is none. */
export function otlpLogs(body: Buffer, encoding: 'json' | 'protobuf'): ReceivedBatch {
  const request = encoding === 'json' ? jsonRequest(body) : decodeExportRequest(body);
  if (!isJsonObject(request)) throw new Problem({ status: 400, code: 'invalid_otlp', detail: 'The body is no ExportLogsServiceRequest.' });
  const identifyLine = identifyLines({ batch: null, source });
  const events = recordsOf(request).map((found) => recordEvent(found, identifyLine));
  return { events, payloadOf: (index) => eventText(events[index]?.value) ?? '' };
}

function jsonRequest(body: Buffer): unknown {
  const text = bodyText(body);
  return text.trim() === '' ? {} : exactEvent(parseJson(text), text).value;
}

interface FoundRecord {
  readonly record: unknown;
  readonly resourceAttributes: JsonObject;
}

function recordsOf(request: JsonObject): FoundRecord[] {
  const records: FoundRecord[] = [];
  for (const resourceLogs of arrayAt(request, 'resourceLogs')) {
    const resourceAttributes = otlpAttributes(valueAt(resourceLogs, ['resource', 'attributes']));
    for (const scopeLogs of arrayAt(resourceLogs, 'scopeLogs')) {
      const logRecords = arrayAt(scopeLogs, 'logRecords');
      if (records.length + logRecords.length > eventsMax) throw tooManyEvents();
      for (const record of logRecords) records.push({ record, resourceAttributes });
    }
  }
  return records;
}

function arrayAt(parent: unknown, name: string): readonly unknown[] {
  const list = valueAt(parent, [name]);
  return Array.isArray(list) ? (list as readonly unknown[]) : [];
}

function recordEvent({ record, resourceAttributes }: FoundRecord, identifyLine: (line: IdentifiedLine) => LineIdentity): ReceivedEvent {
  if (!isJsonObject(record)) return { value: undefined, faults: [{ pointer: '', code: 'unknown_format', detail: 'A log record must be an object.' }] };
  const event = otlpEvent({ record, resourceAttributes });
  const { type, subject, time, data } = event;
  // What is too large to have a text is refused, and needs no id that is its own.
  const byText = (): LineIdentity => identifyLine({ text: eventText({ type, subject, time: time ?? null, data }) ?? '', number: 0 });
  const identity = isIdentityText(event.requestId) ? { source, id: event.requestId } : byText();
  return { value: postedEvent(event, identity, null) };
}
