import type { EventSourceFormat, IngestFormat } from '#contracts';
import { apisixEvent, awsApiGatewayEvent, envoyEvent, kongEvent, mappingReader, nginxEvent, segmentEvent, tykEvent, type EventMapping, type GatewayReader } from '#domain';
import type { ReceivedBatch } from '../received-batch.js';
import { combinedEvents } from './combined-events.js';
import { firehoseEntries, firehoseRequest } from './firehose-records.js';
import { gatewayEntries } from './gateway-entries.js';
import { gatewayEvents } from './gateway-events.js';
import type { LineOptions } from './line-identity.js';

/** Takes a body apart into entries that are JSON objects. What is none is refused by itself; only a body that is too large is refused as a whole. */
type ReadEntries = (body: Buffer, options: Pick<LineOptions, 'batch' | 'firstLine'>) => ReceivedBatch;

interface GatewayFormat {
  readonly entries: ReadEntries;
  readonly read: GatewayReader;
}

const gatewayFormats: Readonly<Record<Exclude<IngestFormat, 'combined'>, GatewayFormat>> = {
  kong: { entries: entriesIn(null), read: kongEvent },
  apisix: { entries: entriesIn(null), read: apisixEvent },
  nginx: { entries: entriesIn(null), read: nginxEvent },
  envoy: { entries: entriesIn(null), read: envoyEvent },
  'aws-api-gateway': { entries: awsApiGatewayEntries, read: awsApiGatewayEvent },
  tyk: { entries: entriesIn(null), read: tykEvent },
  segment: { entries: entriesIn('batch'), read: segmentEvent },
};

/** What `POST /v1/ingest/{format}` makes of a body. */
export function readFormat(format: IngestFormat, body: Buffer, options: LineOptions): ReceivedBatch {
  if (format === 'combined') return combinedEvents(body, options);
  const { entries, read } = gatewayFormats[format];
  return gatewayEvents(entries(body, options), { ...options, source: format, read });
}

/** A stored way to read entries, as the catalog has it. */
export interface SourceReading {
  readonly format: EventSourceFormat;
  /** The source of the events. */
  readonly source: string;
  readonly mapping: EventMapping;
}

/** What an event source makes of a body. */
export function readSource({ format, source, mapping }: SourceReading, body: Buffer): ReceivedBatch {
  // JSON of any kind says nothing by itself.
  const { entries, read } = format === 'json' ? { entries: entriesIn(null), read: null } : gatewayFormats[format];
  const options: LineOptions = { batch: null, firstLine: 1, subject: null };
  return gatewayEvents(entries(body, options), { ...options, source, read: mappingReader(mapping, read) });
}

function entriesIn(wrapper: string | null): ReadEntries {
  return (body, options) => gatewayEntries(body, { ...options, wrapper });
}

/** Access-log lines, or Firehose's envelope around them. */
function awsApiGatewayEntries(body: Buffer, options: Pick<LineOptions, 'batch' | 'firstLine'>): ReceivedBatch {
  const entries = gatewayEntries(body, { ...options, wrapper: null });
  const [only] = entries.events;
  const firehose = entries.events.length === 1 ? firehoseRequest(only?.value) : null;
  return firehose === null ? entries : { ...firehoseEntries(firehose), firehoseRequestId: firehose.requestId };
}
