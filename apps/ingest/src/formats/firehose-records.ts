import { gunzipSync } from 'node:zlib';
import { eventsBodySizeMax, eventsMax } from '#contracts';
import { isJsonObject } from '#domain';
import type { ReceivedBatch, ReceivedEvent } from '../received-batch.js';
import { checkValues } from './json-values.js';
import { linesOfBytes, type Line } from './lines.js';
import { batchOfLines } from './ndjson-events.js';
import { bodyTooLarge, tooManyEvents } from './too-large.js';

export interface FirehoseRequest {
  readonly requestId: string;
  readonly records: readonly unknown[];
}

/** A body as Data Firehose posts it to an HTTP endpoint; null for any other. */
export function firehoseRequest(body: unknown): FirehoseRequest | null {
  if (!isJsonObject(body) || typeof body.requestId !== 'string' || !Array.isArray(body.records)) return null;
  return { requestId: body.requestId, records: body.records as readonly unknown[] };
}

/**
 * The lines in Firehose's records: a record holds base64 of one line or several, or of a gzip with what a CloudWatch Logs
 * subscription sends. A record that can't be read is one refused entry; records that inflate beyond the bounds of a request
 * are 413 as any other body.
 */
export function firehoseEntries({ records }: FirehoseRequest): ReceivedBatch {
  const budget = { bytesLeft: eventsBodySizeMax };
  const entries: { readonly event: ReceivedEvent; readonly text: string }[] = [];
  const sent = records.map((record) => (isJsonObject(record) ? record.data : undefined));
  const read = sent.map((data) => recordLines(data, budget));
  checkValues(read.flatMap((lines) => (lines ?? []).map(({ text }) => text)));
  for (const [index, lines] of read.entries()) {
    const batch = lines === null ? unreadableRecord(sent[index]) : batchOfLines(lines);
    for (const [at, event] of batch.events.entries()) {
      if (entries.length === eventsMax) throw tooManyEvents();
      // The number of a line within its record says nothing to anybody.
      const { line: _line, ...rest } = event;
      entries.push({ event: rest, text: batch.payloadOf(at) });
    }
  }
  return { events: entries.map(({ event }) => event), payloadOf: (index) => entries[index]?.text ?? '' };
}

/** Null where a record can't be read. */
function recordLines(data: unknown, budget: { bytesLeft: number }): Line[] | null {
  if (typeof data !== 'string') return null;
  try {
    return linesOf(inflated(Buffer.from(Uint8Array.fromBase64(data)), budget));
  } catch (error) {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') throw bodyTooLarge(eventsBodySizeMax);
    if (!(error instanceof SyntaxError || codeOf(error).startsWith('Z_'))) throw error;
    return null;
  }
}

function unreadableRecord(data: unknown): ReceivedBatch {
  return {
    events: [{ value: undefined, faults: [{ pointer: '', code: 'unknown_format', detail: 'The record’s data is no base64 of lines or of a whole gzip.' }] }],
    payloadOf: () => (typeof data === 'string' ? data : ''),
  };
}

function inflated(bytes: Buffer, budget: { bytesLeft: number }): Buffer {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isGzip) return bytes;
  const plain = gunzipSync(bytes, { maxOutputLength: Math.max(budget.bytesLeft, 1) });
  budget.bytesLeft -= plain.length;
  return plain;
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code ?? '');
}

/** The lines of a record; of a CloudWatch Logs subscription, its messages. Its control messages have none. */
function linesOf(bytes: Buffer): Line[] {
  const lines = linesOfBytes(bytes, 1);
  const [first] = lines;
  if (first === undefined || lines.length > 1 || !first.text.includes('"messageType"')) return lines;
  const message = parsedOrUndefined(first.text);
  if (!isJsonObject(message)) return lines;
  if (message.messageType === 'CONTROL_MESSAGE') return [];
  if (message.messageType !== 'DATA_MESSAGE' || !Array.isArray(message.logEvents)) return lines;
  return (message.logEvents as readonly unknown[]).flatMap((event) => (isJsonObject(event) && typeof event.message === 'string' ? linesOfBytes(Buffer.from(event.message), 1) : []));
}

function parsedOrUndefined(text: string): unknown {
  checkValues([text]);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
