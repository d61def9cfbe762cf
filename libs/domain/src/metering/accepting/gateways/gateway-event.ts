import type { EventFault } from '../event-fault.js';
import type { JsonObject } from '../canonical-data.js';
import { httpData, httpRequestType, type HttpFields } from '../http-data.js';

/** What one record of a gateway says about usage, before it has an identity. What the record lacks is null. */
export interface GatewayEvent {
  /** The gateway's own id of the request. */
  readonly requestId: string | null;
  readonly type: string | null;
  readonly subject: string | null;
  /** RFC 3339 where the record's time could be read; else what stood there, which is then refused as any other time. */
  readonly time: unknown;
  readonly data: JsonObject;
  /** Why the record reports no usage at all. */
  readonly faults?: readonly EventFault[];
}

/** Reads one record of a gateway's log. Pure, and total: whatever stands in a record makes an event that may be refused. */
export type GatewayReader = (record: JsonObject) => GatewayEvent;

/** The event of a request that a gateway served. */
export function httpEvent(parts: Pick<GatewayEvent, 'requestId' | 'subject' | 'time'>, fields: HttpFields): GatewayEvent {
  return { ...parts, type: httpRequestType, data: httpData(fields) };
}
