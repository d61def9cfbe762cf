import type { IngestFormat } from '#contracts';
import { apisixEvent, awsApiGatewayEvent, envoyEvent, kongEvent, nginxEvent, segmentEvent, tykEvent, type GatewayReader } from '#domain';
import type { ReceivedBatch } from '../received-batch.js';
import { combinedEvents } from './combined-events.js';
import { firehoseEntries, firehoseRequest } from './firehose-records.js';
import { gatewayEntries } from './gateway-entries.js';
import { gatewayEvents } from './gateway-events.js';
import type { LineOptions } from './line-identity.js';

/** Reads a whole body. What stands in it is refused entry by entry; only a body that is too large is refused as a whole. */
export type ReadFormat = (body: Buffer, options: LineOptions) => ReceivedBatch;

/** What `POST /v1/ingest/{format}` makes of a body. */
export const readFormats: Readonly<Record<IngestFormat, ReadFormat>> = {
  kong: jsonFormat({ source: 'kong', read: kongEvent }),
  apisix: jsonFormat({ source: 'apisix', read: apisixEvent }),
  nginx: jsonFormat({ source: 'nginx', read: nginxEvent }),
  envoy: jsonFormat({ source: 'envoy', read: envoyEvent }),
  'aws-api-gateway': awsApiGateway,
  tyk: jsonFormat({ source: 'tyk', read: tykEvent }),
  segment: jsonFormat({ source: 'segment', read: segmentEvent, wrapper: 'batch' }),
  combined: combinedEvents,
};

function jsonFormat({ source, read, wrapper = null }: { readonly source: string; readonly read: GatewayReader; readonly wrapper?: string | null }): ReadFormat {
  return (body, options) => gatewayEvents(gatewayEntries(body, { ...options, wrapper }), { ...options, source, read });
}

/** Access-log lines, or Firehose's envelope around them. */
function awsApiGateway(body: Buffer, options: LineOptions): ReceivedBatch {
  const entries = gatewayEntries(body, { ...options, wrapper: null });
  const [only] = entries.events;
  const firehose = entries.events.length === 1 ? firehoseRequest(only?.value) : null;
  const batch = gatewayEvents(firehose === null ? entries : firehoseEntries(firehose), { ...options, source: 'aws-api-gateway', read: awsApiGatewayEvent });
  return firehose === null ? batch : { ...batch, firehoseRequestId: firehose.requestId };
}
