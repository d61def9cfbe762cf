import type { ReceivedBatch } from '../received-batch.js';
import { batchOf } from './json-events.js';
import { checkValues } from './json-values.js';
import type { LineOptions } from './line-identity.js';
import { linesOfBytes } from './lines.js';
import { batchOfLines } from './ndjson-events.js';

export interface EntriesOptions extends Pick<LineOptions, 'batch' | 'firstLine'> {
  /** The member of an object that holds the entries; null where the format has none. */
  readonly wrapper: string | null;
}

/**
 * The entries of a gateway's request: how many stand in a body, and whether as one object, an array or lines, is a
 * setting of the gateway, so all are taken everywhere. A gateway drops a batch that is refused as a whole, so a body that
 * can't be read is one refused entry. A piece of a named batch is lines, unless it is an array.
 */
export function gatewayEntries(body: Buffer, { batch, firstLine, wrapper }: EntriesOptions): ReceivedBatch {
  const text = readableText(body);
  const isArray = text.startsWith('[');
  if (batch !== null && !isArray) return batchOfLines(linesOfBytes(body, firstLine));
  if (text === '') return { events: [], payloadOf: () => '' };
  const parsed = parsedOrUndefined(text);
  if (parsed !== undefined) return batchOf({ body: parsed, text, wrapper });
  return isArray ? unreadable(text) : batchOfLines(linesOfBytes(body, firstLine));
}

/** A body that holds no entries that could be told apart. */
export function unreadable(text: string): ReceivedBatch {
  return { events: [{ value: undefined, faults: [{ pointer: '', code: 'unknown_format', detail: 'The body is no valid JSON.' }] }], payloadOf: () => text };
}

/** Bytes that are no UTF-8 become U+FFFD: gateways write what clients sent, and one header must not cost the batch. */
function readableText(body: Buffer): string {
  return new TextDecoder().decode(body).trim();
}

function parsedOrUndefined(text: string): unknown {
  checkValues([text]);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
