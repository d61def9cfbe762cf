import type { ReceivedBatch, ReceivedEvent } from '../received-batch.js';
import { exactEvent } from './json-events.js';
import { checkValues } from './json-values.js';
import { linesOf, type Line } from './lines.js';

/** One event a line. A line that is no JSON is one refused event. */
export function ndjsonEvents(text: string): ReceivedBatch {
  return batchOfLines(linesOf(text));
}

export function batchOfLines(lines: readonly Line[]): ReceivedBatch {
  checkValues(lines.map(({ text }) => text));
  return { events: lines.map(lineEvent), payloadOf: (index) => lines[index]?.text ?? '' };
}

function lineEvent({ text, number }: Line): ReceivedEvent {
  try {
    return { ...exactEvent(JSON.parse(text), text), line: number };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { value: undefined, line: number, faults: [{ pointer: '', code: 'unknown_format', detail: `Line ${number} is no JSON.` }] };
  }
}
