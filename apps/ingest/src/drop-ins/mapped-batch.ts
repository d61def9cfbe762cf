import { isJsonObject, type EventFault, type EventFieldNames, type JsonObject } from '#domain';
import { eventText } from '../formats/event-text.js';
import type { ReceivedBatch, ReceivedEvent } from '../received-batch.js';

/** One event of another system in our words. Parts that it lacks are undefined; what could not be read is named in `faults`. */
export interface MappedEvent {
  readonly value: Readonly<Record<'id' | 'source' | 'type' | 'subject' | 'time' | 'data', unknown>>;
  readonly faults?: readonly EventFault[];
}

export interface Mapping {
  readonly names: EventFieldNames;
  readonly map: (sent: JsonObject, index: number) => MappedEvent;
}

/** The same batch with every event mapped. What is no object stays as it is and is refused as such. */
export function mappedBatch(batch: ReceivedBatch, mapping: Mapping): ReceivedBatch {
  const events = batch.events.map(({ value }, index) => (isJsonObject(value) ? receivedEvent(mapping, value, index) : { value, names: mapping.names }));
  // A dead letter in our words can be replayed.
  return { events, payloadOf: (index) => eventText(events[index]?.value) ?? batch.payloadOf(index) };
}

function receivedEvent({ names, map }: Mapping, sent: JsonObject, index: number): ReceivedEvent {
  const { value, faults = [] } = map(sent, index);
  const present = Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined));
  return { value: present, names, ...(faults.length > 0 ? { faults } : {}) };
}
