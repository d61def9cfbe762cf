import { valueAt } from '../../data-value.js';
import { isJsonObject, type JsonObject } from '../canonical-data.js';
import type { GatewayEvent } from './gateway-event.js';
import { firstTime, textOfFirst } from './record-values.js';

/** Calls that say who somebody is, and nothing that happened. */
const callsWithoutUsage: ReadonlySet<unknown> = new Set(['identify', 'group', 'alias']);

/** A call of Segment's HTTP API. A track call's event is the type; other calls (page, screen) are their own. */
export function segmentEvent(call: JsonObject): GatewayEvent {
  const at = (...path: readonly string[]): unknown => valueAt(call, path);
  const kind = textOfFirst(at('type')) ?? 'track';
  const properties = at('properties') ?? {};
  const event: GatewayEvent = {
    requestId: textOfFirst(at('messageId')),
    type: kind === 'track' ? textOfFirst(at('event')) : kind,
    subject: textOfFirst(at('userId'), at('groupId'), at('context', 'groupId'), at('anonymousId')),
    time: firstTime(at('timestamp'), at('originalTimestamp'), at('sentAt')),
    data: isJsonObject(properties) ? properties : {},
  };
  if (callsWithoutUsage.has(kind)) return { ...event, faults: [{ pointer: '/type', code: 'unknown_format', detail: 'An identify, group or alias call reports no usage.' }] };
  if (!isJsonObject(properties)) return { ...event, faults: [{ pointer: '/data', code: 'invalid_type', detail: 'properties must be a JSON object.' }] };
  return event;
}
