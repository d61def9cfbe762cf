import { eventsMax } from '#contracts';
import { elementTexts, hasInexactNumber, memberAt, parseExactNumbers } from '#domain';
import { Problem } from '#platform';
import type { ReceivedBatch, ReceivedEvent } from '../received-batch.js';

/** An event, an array of events, or `{"events": [...]}`. */
export function jsonEvents(text: string): ReceivedBatch {
  const body = parseJson(text);
  const isWrapped = !Array.isArray(body) && Array.isArray((body as { events?: unknown } | null)?.events);
  const values: readonly unknown[] = Array.isArray(body) ? body : isWrapped ? (body as { events: unknown[] }).events : [body];
  if (values.length > eventsMax) throw tooManyEvents();
  const isSingle = !Array.isArray(body) && !isWrapped;
  let texts: readonly string[] | undefined;
  // Only what was refused and what has long numbers is cut out of the body again.
  const textOf = (index: number): string => {
    texts ??= isSingle ? [text.trim()] : elementTexts(text, isWrapped ? memberAt(text, { name: 'events' }) : 0);
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
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Problem({ status: 400, code: 'invalid_json', detail: `The body is no valid JSON: ${error.message.slice(0, 200)}` });
  }
}

export function tooManyEvents(): Problem {
  return new Problem({ status: 413, code: 'too_many_events', detail: `A request may have ${eventsMax} events.` });
}
