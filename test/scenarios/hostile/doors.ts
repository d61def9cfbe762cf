/** One way in: a route, and one form of what it takes. */
export interface Door {
  readonly name: string;
  readonly path: string;
  readonly type: string;
  /** What may stand in an entry by name. */
  readonly names: readonly string[];
  /** The text of an entry that is accepted, with an id and a subject of one's own. */
  readonly good: (entry: GoodEntry) => string;
  /** How entries make a body. Without any, a body is one entry. */
  readonly batches: readonly ((texts: readonly string[]) => string)[];
  /** What a body is answered with in which good entries stand. */
  readonly statuses: readonly number[];
  /** Where good entries are counted, and to how much each adds up; null where nothing is counted. */
  readonly counted: Counted | null;
  /** Log senders drop what is refused as a whole, so nothing but an encoding or a size that can't be read is. */
  readonly takesAnything?: boolean;
  /** Whether a body above its bound is refused unread, so that the sender may hear of it too late. */
  readonly refusesUnread?: boolean;
  /** What it is sent with, where that is no API key. */
  readonly needsSession?: boolean;
  /** Whether it is sent with the key of another organization, whose few letters it works down over and over. */
  readonly ofOthers?: boolean;
}

export interface GoodEntry {
  readonly id: string;
  readonly subject: string;
}

export interface Counted {
  readonly meter: 'plain' | 'http';
  /** What the meter's sum has of each entry; null where the form carries no such value. */
  readonly each: string | null;
}

const json = (value: object): string => JSON.stringify(value);
const asArray = (texts: readonly string[]): string => `[${texts.join(',')}]`;
const asEvents = (texts: readonly string[]): string => `{"events":[${texts.join(',')}]}`;
const asLines = (texts: readonly string[]): string => texts.join('\n');

const plain: Counted = { meter: 'plain', each: '1.5' };
const http: Counted = { meter: 'http', each: '1.5' };
const event = ({ id, subject }: GoodEntry): string => `{"id":"${id}","type":"plain","subject":"${subject}","data":{"n":1.50}}`;
const cloudEvent = (entry: GoodEntry): string => `{"specversion":"1.0",${event(entry).slice(1)}`;
const eventNames = ['id', 'source', 'type', 'subject', 'time', 'data', 'events', 'specversion'];
const cloudEventNames = [...eventNames, 'data_base64', 'datacontenttype'];

const events: readonly Door[] = [
  { name: '/v1/events, JSON', path: '/v1/events', type: 'application/json', names: eventNames, good: event, batches: [asArray, asEvents], statuses: [202], counted: plain },
  { name: '/v1/events, NDJSON', path: '/v1/events', type: 'application/x-ndjson', names: eventNames, good: event, batches: [asLines], statuses: [202], counted: plain },
  { name: '/v1/events, CloudEvents', path: '/v1/events', type: 'application/cloudevents-batch+json', names: cloudEventNames, good: cloudEvent, batches: [asArray], statuses: [202], counted: plain },
  {
    name: '/v1/events?source_key=', path: '/v1/events?source_key=hostile', type: 'application/json', names: ['job', 'account', 'at', 'usage', 'kind'],
    good: ({ id, subject }) => `{"job":{"id":"${id}"},"account":"${subject}","usage":{"n":1.50}}`, batches: [asArray, asLines], statuses: [202], counted: plain, takesAnything: true,
  },
  // What these two name was posted before: see the scenario.
  { name: '/v1/events/void', path: '/v1/events/void', type: 'application/json', names: ['id', 'source', 'reason', 'events'], good: ({ id }) => json({ id, source: 'void' }), batches: [asArray, asEvents], statuses: [202], counted: null },
  {
    name: '/v1/events/amend', path: '/v1/events/amend', type: 'application/json', names: ['id', 'source', 'data', 'reason', 'events'],
    good: ({ id }) => `{"id":"${id}","source":"amend","data":{"n":2.50}}`, batches: [asArray, asEvents], statuses: [202], counted: null,
  },
];

type Gateway = 'kong' | 'apisix' | 'nginx' | 'envoy' | 'aws-api-gateway' | 'tyk' | 'segment';

const gateways: Readonly<Record<Gateway, Pick<Door, 'good' | 'names'> & { readonly counted?: Counted }>> = {
  kong: { good: ({ id, subject }) => json({ request: { id }, consumer: { id: subject }, response: { size: 1.5 } }), names: ['request', 'response', 'consumer', 'latencies', 'started_at', 'route', 'service', 'client_ip', 'headers', 'size', 'uri'] },
  apisix: { good: ({ id, subject }) => json({ request_id: id, consumer_name: subject, body_bytes_sent: '1.50' }), names: ['request', 'response', 'consumer', 'start_time', 'latency', 'route_id', 'headers', 'request_time', 'msec'] },
  nginx: { good: ({ id, subject }) => json({ request_id: id, consumer: subject, body_bytes_sent: '1.50' }), names: ['request_id', 'msec', 'time_iso8601', 'time_local', 'request', 'request_uri', 'status', 'request_time', 'body_bytes_sent', 'consumer'] },
  envoy: { good: ({ id, subject }) => json({ x_request_id: id, customer: subject, bytes_sent: 1.5 }), names: ['x_request_id', 'start_time', 'path', 'duration', 'response_code', 'downstream_remote_address', 'customer', 'bytes_sent'] },
  'aws-api-gateway': { good: ({ id, subject }) => json({ requestId: id, principalId: subject, responseLength: '1.50' }), names: ['requestId', 'records', 'data', 'extendedRequestId', 'requestTimeEpoch', 'requestTime', 'status', 'principalId', 'apiKeyId', 'logEvents', 'messageType'] },
  tyk: { good: ({ id, subject }) => json({ alias: subject, raw_path: `/${id}`, content_length: 1.5 }), names: ['timestamp', 'alias', 'api_key', 'raw_path', 'response_code', 'request_time_ms', 'latency', 'tags'], counted: { meter: 'http', each: null } },
  segment: { good: ({ id, subject }) => json({ type: 'track', messageId: id, event: 'plain', userId: subject, properties: { n: 1.5 } }), names: ['type', 'event', 'userId', 'messageId', 'timestamp', 'properties', 'context', 'batch'], counted: plain },
};

const formats: readonly Door[] = [
  ...Object.entries(gateways).map(([format, { good, names, counted = http }]): Door => ({
    name: `/v1/ingest/${format}`, path: `/v1/ingest/${format}`, type: 'application/json', names, good, batches: [asArray, asLines], statuses: [202], counted, takesAnything: true,
  })),
  {
    name: '/v1/ingest/combined', path: '/v1/ingest/combined?subject=user', type: 'text/plain', names: ['GET', '"', '[', '-'], batches: [asLines], statuses: [202], counted: { meter: 'http', each: '15' }, takesAnything: true,
    good: ({ id, subject }) => `203.0.113.9 - ${subject} [17/Oct/2025:10:05:03 +0200] "GET /${id} HTTP/1.1" 200 15 "-" "curl/8"`,
  },
  {
    name: '/v1/logs', path: '/v1/logs', type: 'application/json', names: ['timeUnixNano', 'traceId', 'spanId', 'eventName', 'attributes', 'body', 'severityText'],
    good: ({ id, subject }) => json({
      body: { stringValue: 'plain' },
      attributes: [{ key: 'event.id', value: { stringValue: id } }, { key: 'customer.id', value: { stringValue: subject } }, { key: 'n', value: { doubleValue: 1.5 } }],
    }),
    batches: [(texts) => `{"resourceLogs":[{"resource":{"attributes":[]},"scopeLogs":[{"logRecords":[${texts.join(',')}]}]}]}`], statuses: [200], counted: plain,
  },
  { name: '/v1/logs, protobuf', path: '/v1/logs', type: 'application/x-protobuf', names: ['a'], good: ({ id }) => id, batches: [], statuses: [200], counted: plain },
];

const lagoEvent = ({ id, subject }: GoodEntry): string => `{"transaction_id":"${id}","external_subscription_id":"${subject}","code":"plain","properties":{"n":1.50}}`;
const lagoNames = ['transaction_id', 'external_subscription_id', 'code', 'timestamp', 'precise_total_amount_cents', 'properties', 'event'];
const meterEvent = ({ id, subject }: GoodEntry): string => `{"event_name":"plain","identifier":"${id}","payload":{"stripe_customer_id":"${subject}","n":"1.50"}}`;
const meterEventNames = ['event_name', 'identifier', 'payload', 'timestamp', 'events'];

const dropIns: readonly Door[] = [
  { name: '/api/v1/events, OpenMeter', path: '/api/v1/events', type: 'application/cloudevents-batch+json', names: cloudEventNames, good: cloudEvent, batches: [asArray], statuses: [204], counted: plain },
  { name: '/api/v1/events, Lago', path: '/api/v1/events', type: 'application/json', names: lagoNames, good: (entry) => `{"event":${lagoEvent(entry)}}`, batches: [], statuses: [200], counted: plain },
  { name: '/api/v3/openmeter/events', path: '/api/v3/openmeter/events', type: 'application/json', names: cloudEventNames, good: cloudEvent, batches: [asArray], statuses: [204], counted: plain },
  { name: '/api/v1/events/batch', path: '/api/v1/events/batch', type: 'application/json', names: lagoNames, good: lagoEvent, batches: [asEvents], statuses: [200, 422], counted: plain },
  {
    name: '/v1/billing/meter_events', path: '/v1/billing/meter_events', type: 'application/x-www-form-urlencoded', names: ['event_name', 'identifier', 'timestamp', 'payload', 'payload[stripe_customer_id]', 'payload[value]', 'payload[__proto__]', 'payload[', 'expand[0]', '%', '&'],
    good: ({ id, subject }) => `event_name=plain&identifier=${id}&payload[stripe_customer_id]=${subject}&payload[n]=1.50`, batches: [], statuses: [200], counted: plain,
  },
  { name: '/v2/billing/meter_events', path: '/v2/billing/meter_events', type: 'application/json', names: meterEventNames, good: meterEvent, batches: [], statuses: [200], counted: plain },
  { name: '/v2/billing/meter_event_session', path: '/v2/billing/meter_event_session', type: 'application/json', names: ['a'], good: () => '{}', batches: [], statuses: [200], counted: null },
  { name: '/v2/billing/meter_event_stream', path: '/v2/billing/meter_event_stream', type: 'application/json', names: meterEventNames, good: meterEvent, batches: [asEvents], statuses: [200], counted: plain, needsSession: true },
];

const trials: readonly Door[] = [
  {
    name: '/v1/event-sources/try', path: '/v1/event-sources/try', type: 'application/json', names: ['source_key', 'format', 'key', 'name', 'source', 'mapping', 'defaults', 'metadata', 'body'],
    good: ({ id, subject }) => json({ format: 'json', mapping: { id: '$.job.id', subject: '$.account', type: '$.kind' }, body: `{"job":{"id":"${id}"},"account":"${subject}","kind":"plain"}` }), batches: [], statuses: [200], counted: null,
  },
  {
    name: '/v1/meters/try', path: '/v1/meters/try', type: 'application/json', names: ['key', 'name', 'event_type', 'aggregation', 'value', 'percentile', 'group_by', 'filter', 'unit', 'metadata', 'from', 'to'],
    good: ({ id }) => json({ event_type: id, aggregation: 'sum', value: '$.n', group_by: { a: '$.a' }, filter: 'data.n > 1' }), batches: [], statuses: [200], counted: null, refusesUnread: true,
  },
  { name: '/v1/dead-letters/{id}/replay', path: '/v1/dead-letters/dl_none/replay', type: 'application/json', names: ['event', 'reason'], good: (entry) => `{"event":${event(entry)}}`, batches: [], statuses: [404], counted: null },
  { name: '/v1/dead-letters/{id}/discard', path: '/v1/dead-letters/dl_none/discard', type: 'application/json', names: ['reason'], good: () => '{"reason":"none"}', batches: [], statuses: [404], counted: null },
  ...['replay', 'discard'].map((act): Door => ({
    name: `/v1/dead-letters/${act}`, path: `/v1/dead-letters/${act}`, type: 'application/json', names: ['kind', 'code', 'source', 'from', 'to', 'limit', 'starting_after', 'reason'],
    good: ({ id }) => json({ source: id, limit: 5 }), batches: [], statuses: [202], counted: null, ofOthers: true,
  })),
];

/** Every route that takes what senders of usage post, in each of its forms. */
export const doors: readonly Door[] = [...events, ...formats, ...dropIns, ...trials];
