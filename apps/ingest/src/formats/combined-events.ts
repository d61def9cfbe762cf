import { combinedEvent, parseCombinedLine, type LineIdentity } from '#domain';
import type { ReceivedBatch, ReceivedEvent } from '../received-batch.js';
import { eventText } from './event-text.js';
import { identifyLines, type LineOptions } from './line-identity.js';
import { linesOfBytes, type Line } from './lines.js';

/** One event a line of an access log in combined format. A line that is none is one refused event. */
export function combinedEvents(body: Buffer, options: LineOptions): ReceivedBatch {
  const lines = linesOfBytes(body, options.firstLine);
  const identify = identifyLines({ batch: options.batch, source: 'combined' });
  const events = lines.map((line) => lineEvent(line, identify(line), options.subject ?? 'client'));
  return { events, payloadOf: (index) => eventText(events[index]?.value) ?? lines[index]?.text ?? '' };
}

function lineEvent({ text, number }: Line, identity: LineIdentity, subject: 'client' | 'user'): ReceivedEvent {
  const parsed = parseCombinedLine(text);
  if (parsed !== null) return { value: combinedEvent(parsed, identity, subject), line: number };
  return { value: undefined, line: number, identity, faults: [{ pointer: '', code: 'unknown_format', detail: `Line ${number} is no line of an access log in combined format.` }] };
}
