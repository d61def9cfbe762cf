import { valueAt } from '../../data-value.js';
import { dataDepthMax, isJsonObject, type JsonObject } from '../canonical-data.js';
import type { GatewayEvent } from './gateway-event.js';
import { epochTime, firstTime, numberOfFirst, textOfFirst } from './record-values.js';

/** A log record in OTLP's JSON form, with what stands around it. */
export interface OtlpRecord {
  readonly record: JsonObject;
  /** The attributes of its resource. */
  readonly resourceAttributes: JsonObject;
}

/**
 * The event of an OpenTelemetry log record: its type is the event's name or the body, its data are the attributes. An
 * attribute that names the customer may also stand at the resource, where one process serves one customer.
 */
export function otlpEvent({ record, resourceAttributes }: OtlpRecord): GatewayEvent {
  const attributes = otlpAttributes(record.attributes);
  const at = (name: string): unknown => valueAt(attributes, [name]);
  return {
    requestId: textOfFirst(at('event.id')) ?? spanIdentity(record),
    type: textOfFirst(record.eventName, valueAt(record, ['body', 'stringValue']), at('event.name')),
    subject: textOfFirst(at('customer.id'), at('enduser.id'), resourceAttributes['customer.id'], resourceAttributes['enduser.id']),
    time: firstTime(recordTime(record.timeUnixNano), recordTime(record.observedTimeUnixNano)),
    data: attributes,
  };
}

/** Attributes as one object; the last one counts where a key repeats. */
export function otlpAttributes(list: unknown): JsonObject {
  return objectOf(list, 1);
}

/** OTLP writes 0 for a time that is unknown. */
function recordTime(nanoseconds: unknown): unknown {
  return nanoseconds === 0 || nanoseconds === '0' ? undefined : epochTime(nanoseconds, 'nanoseconds');
}

const hexId = /^(?!0+$)[0-9a-f]+$/;

/** A span reports one usage unless its records have an event.id; without both ids a record belongs to none. */
function spanIdentity({ traceId, spanId }: JsonObject): string | null {
  const [trace, span] = [traceId, spanId].map((id) => (typeof id === 'string' ? id.toLowerCase() : ''));
  return hexId.test(trace ?? '') && hexId.test(span ?? '') ? `${trace}-${span}` : null;
}

function objectOf(list: unknown, level: number): JsonObject {
  if (!Array.isArray(list)) return {};
  const members = (list as readonly unknown[]).filter((item): item is JsonObject => isJsonObject(item) && typeof item.key === 'string');
  return Object.fromEntries(members.map(({ key, value }) => [key as string, plainValue(value, level + 1)]));
}

/** An AnyValue as JSON has it. What lies deeper than data may is an empty object, for which the event is refused. */
function plainValue(value: unknown, level: number): unknown {
  if (!isJsonObject(value)) return null;
  if (level > dataDepthMax && (value.arrayValue !== undefined || value.kvlistValue !== undefined)) return {};
  if (value.intValue !== undefined) return numberOfFirst(value.intValue) ?? value.intValue;
  if (value.arrayValue !== undefined) {
    const values = valueAt(value.arrayValue, ['values']);
    return Array.isArray(values) ? (values as readonly unknown[]).map((item) => plainValue(item, level + 1)) : [];
  }
  if (value.kvlistValue !== undefined) return objectOf(valueAt(value.kvlistValue, ['values']), level);
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? value.bytesValue ?? null;
}
