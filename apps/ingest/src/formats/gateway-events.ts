import { isIdentityText, isJsonObject, type GatewayEvent, type GatewayReader, type LineIdentity } from '#domain';
import type { ReceivedBatch, ReceivedEvent } from '../received-batch.js';
import { eventText } from './event-text.js';
import { identifyLines, type LineOptions } from './line-identity.js';

export interface GatewayEventsOptions extends LineOptions {
  /** The source of entries outside of a named batch: the format's name. */
  readonly source: string;
  readonly read: GatewayReader;
}

/** The events of a gateway's entries, each read by itself. */
export function gatewayEvents(entries: ReceivedBatch, options: GatewayEventsOptions): ReceivedBatch {
  const identifyLine = identifyLines(options);
  const events = entries.events.map((entry, index) => {
    const byLine = (): LineIdentity => identifyLine({ text: entries.payloadOf(index), number: entry.line ?? options.firstLine + index });
    return gatewayEvent(entry, byLine, options);
  });
  return { ...entries, events, payloadOf: (index) => eventText(events[index]?.value) ?? entries.payloadOf(index) };
}

function gatewayEvent(entry: ReceivedEvent, byLine: () => LineIdentity, options: GatewayEventsOptions): ReceivedEvent {
  const line = entry.line === undefined ? {} : { line: entry.line };
  if (entry.faults !== undefined) return { ...entry, identity: byLine() };
  if (!isJsonObject(entry.value)) {
    return { value: undefined, ...line, identity: byLine(), faults: [{ pointer: '', code: 'unknown_format', detail: 'An entry must be a JSON object.' }] };
  }
  const event = options.read(entry.value);
  const identity = identityOf(event, byLine, options);
  return { value: postedEvent(event, identity, options.subject), ...line, ...(event.faults === undefined ? {} : { faults: event.faults }) };
}

/** What can't stand as an id is no reason to lose the event: some gateways take the id from the client. */
function identityOf({ requestId }: GatewayEvent, byLine: () => LineIdentity, { batch, source }: GatewayEventsOptions): LineIdentity {
  return batch === null && isIdentityText(requestId) ? { source, id: requestId } : byLine();
}

/** The event as a sender would have posted it. */
export function postedEvent(event: GatewayEvent, identity: LineIdentity, subjectFrom: LineOptions['subject']): Record<string, unknown> {
  const subject = subjectFrom === null ? event.subject : (event.data[subjectFrom] ?? null);
  return {
    ...identity,
    ...(event.type === null ? {} : { type: event.type }),
    ...(subject === null ? {} : { subject }),
    ...(event.time === undefined ? {} : { time: event.time }),
    data: event.data,
  };
}
