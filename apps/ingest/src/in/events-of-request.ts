import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from '#platform';
import { bodyText } from '../formats/body-text.js';
import { binaryCloudEvent, cloudEvents, isBinaryCloudEvent } from '../formats/cloud-events.js';
import { jsonEvents } from '../formats/json-events.js';
import { ndjsonEvents } from '../formats/ndjson-events.js';
import type { ReceivedBatch } from '../received-batch.js';
import { isJsonType, isUtf8Charset, parseMediaType, unsupportedCharset } from './media-type.js';

const readers: ReadonlyMap<string, (text: string) => ReceivedBatch> = new Map([
  ['application/json', jsonEvents],
  ['application/cloudevents+json', cloudEvents],
  ['application/cloudevents-batch+json', cloudEvents],
  ['application/x-ndjson', ndjsonEvents],
  ['application/ndjson', ndjsonEvents],
]);

/** The events of a request to `/v1/events`, by its Content-Type. Throws 400 for what can't be read and 415 for other types. */
export function eventsOf(headers: IncomingHttpHeaders, body: Buffer): ReceivedBatch {
  const mediaType = parseMediaType(headers['content-type']);
  if (mediaType !== null && !isUtf8Charset(mediaType.charset)) throw unsupportedCharset();
  if (isBinaryCloudEvent(headers) && !mediaType?.type.startsWith('application/cloudevents')) {
    if (mediaType === null ? body.length > 0 : !isJsonType(mediaType.type)) throw unsupportedType('A CloudEvent in binary mode must have data of type application/json.');
    return binaryCloudEvent(headers, bodyText(body));
  }
  const read = mediaType === null ? undefined : readers.get(mediaType.type);
  if (read === undefined) throw unsupportedType(`Send one of ${[...readers.keys()].join(', ')}.`);
  return read(bodyText(body));
}

/** The events that a request to void or amend names: one object, an array, or `{"events": [...]}`. */
export function correctionsOf(headers: IncomingHttpHeaders, body: Buffer): ReceivedBatch {
  const mediaType = parseMediaType(headers['content-type']);
  if (mediaType === null || mediaType.type !== 'application/json' || !isUtf8Charset(mediaType.charset)) throw unsupportedType('Send application/json in UTF-8.');
  return jsonEvents(bodyText(body));
}

function unsupportedType(detail: string): Problem {
  return new Problem({ status: 415, code: 'unsupported_media_type', detail });
}
