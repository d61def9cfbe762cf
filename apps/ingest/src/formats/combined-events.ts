import { hash } from 'node:crypto';
import { combinedEvent, parseCombinedLine, type LineIdentity } from '#domain';
import type { ReceivedBatch, ReceivedEvent } from '../received-batch.js';
import { linesOfBytes, type Line } from './lines.js';

export interface CombinedOptions {
  /** Names the log: a line is then identified by its number in it. */
  readonly batch: string | null;
  /** The number of the body's first line. */
  readonly firstLine: number;
  readonly subject: 'client' | 'user';
}

/** The source of lines without a batch. */
export const combinedSource = 'combined';

/** One event a line of an access log in combined format. A line that is none is one refused event. */
export function combinedEvents(body: Buffer, options: CombinedOptions): ReceivedBatch {
  const lines = linesOfBytes(body);
  const identify = options.batch === null ? byText() : byNumber(options.batch, options.firstLine);
  const events = lines.map((line) => lineEvent(line, identify(line), options));
  const isRead = (index: number): boolean => events[index]?.faults === undefined;
  return { events, payloadOf: (index) => (isRead(index) ? JSON.stringify(events[index]?.value) : (lines[index]?.text ?? '')) };
}

function lineEvent(line: Line, identity: LineIdentity, { firstLine, subject }: CombinedOptions): ReceivedEvent {
  const number = firstLine + line.number - 1;
  const parsed = parseCombinedLine(line.text);
  if (parsed !== null) return { value: combinedEvent(parsed, identity, subject), line: number };
  return { value: undefined, line: number, identity, faults: [{ pointer: '', code: 'unknown_format', detail: `Line ${number} is no line of an access log in combined format.` }] };
}

function byNumber(batch: string, firstLine: number): (line: Line) => LineIdentity {
  return ({ number }) => ({ source: `batch:${batch}`, id: String(firstLine + number - 1) });
}

/** Real logs repeat whole lines, so the ordinal among equal lines of the request is part of the identity. */
function byText(): (line: Line) => LineIdentity {
  const seen = new Map<string, number>();
  return ({ text }) => {
    const digest = hash('sha256', text, 'hex');
    const ordinal = (seen.get(digest) ?? 0) + 1;
    seen.set(digest, ordinal);
    return { source: combinedSource, id: `${digest}-${ordinal}` };
  };
}
