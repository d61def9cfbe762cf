import { eventsMax } from '#contracts';
import { elementTexts, hasInexactNumber, isJsonObject, memberAt, parseExactNumbers } from '#domain';
import { Problem } from '#platform';
import type { ReceivedBatch, ReceivedEvent } from '../received-batch.js';
import { checkValues } from './json-values.js';
import { tooManyEvents } from './too-large.js';

/** An event, an array of events, or `{"events": [...]}`. */
export function jsonEvents(text: string): ReceivedBatch {
  return batchOf({ body: parseJson(text), text, wrapper: 'events' });
}

export interface ParsedBody {
  /** What a plain parse of the text gave. */
  readonly body: unknown;
  readonly text: string;
  /** The member of an object that may hold the array; null where an object is always one event. */
  readonly wrapper: string | null;
}

/** What one JSON value holds: itself, its elements, or the elements of its wrapper. */
export function batchOf({ body, text, wrapper }: ParsedBody): ReceivedBatch {
  const wrapped = wrapper !== null && isJsonObject(body) && Object.hasOwn(body, wrapper) ? body[wrapper] : undefined;
  const isWrapped = Array.isArray(wrapped);
  const values: readonly unknown[] = Array.isArray(body) ? body : isWrapped ? (wrapped as unknown[]) : [body];
  if (values.length > eventsMax) throw tooManyEvents();
  const isSingle = !Array.isArray(body) && !isWrapped;
  let texts: readonly string[] | undefined;
  // Only what was refused and what has long numbers is cut out of the body again.
  const textOf = (index: number): string => {
    texts ??= isSingle ? [text.trim()] : elementTexts(text, isWrapped && wrapper !== null ? memberAt(text, { name: wrapper }) : 0);
    return texts[index] ?? '';
  };
  const events = hasInexactNumber(text) ? values.map((value, index) => exactEvent(value, textOf(index))) : values.map((value) => ({ value }));
  return { events, payloadOf: textOf };
}

/** The event with all digits of its numbers; `value` is what a plain parse of the same text gave. */
export function exactEvent(value: unknown, text: string): ReceivedEvent {
  return { value: hasInexactNumber(text) ? parseExactNumbers(text) : value };
}

export function parseJson(text: string): unknown {
  checkValues([text]);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Problem({ status: 400, code: 'invalid_json', detail: `The body is no valid JSON: ${error.message.slice(0, 200)}` });
  }
}
