import { z } from 'zod';
import {
  amendEventsBodySchema, callIngestQuerySchema, cloudEventSchema, eventListBodySchema, eventsAnswerSchema, eventsBodySchema, eventsQuerySchema, httpIngestQuerySchema, ingestFormats,
  voidEventsBodySchema, type IngestFormat,
} from '#contracts';
import { schemaOf, type JsonSchema } from '#platform';
import { deadLetterOpenApi } from './dead-letter-open-api.js';
import { dropInOpenApi } from './drop-in-open-api.js';
import { eventSourceOpenApi } from './event-source-open-api.js';
import { nothingAccepted, problemResponses } from './open-api-schemas.js';
import { otlpOpenApi } from './otlp-open-api.js';
import { stripeOpenApi } from './stripe-open-api.js';

const answer = schemaOf(eventsAnswerSchema, 'output');

function responses(statuses: readonly number[]): Record<string, unknown> {
  return {
    202: { description: 'What was accepted is durable. What was refused stands in `rejected` and in the dead letters.', content: { 'application/json': { schema: answer } } },
    ...problemResponses(statuses),
  };
}

const refusedAsAWhole = { description: 'No event was acceptable.', content: { 'application/problem+json': { schema: nothingAccepted } } };

function correction(operationId: string, about: { readonly summary: string; readonly description: string; readonly body: z.ZodType }): Record<string, unknown> {
  return {
    post: {
      operationId,
      summary: about.summary,
      description: `${about.description} Sending it again changes nothing. Where the event has not come yet, it is kept and applied if the event comes within the dedupe window. Refused ones are no dead letters.`,
      tags: ['events'],
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(about.body, 'input') } } },
      responses: { ...responses([400, 401, 403, 413, 415, 503]), 422: refusedAsAWhole },
    },
  };
}

interface FormatDocument {
  readonly summary: string;
  readonly subject: string;
  readonly identity: string;
  /** Beyond the JSON types and NDJSON. */
  readonly types?: readonly string[];
  readonly isJson: boolean;
}

const ordinal = 'its text and its ordinal among equal lines of the request';
const formatDocuments: Readonly<Record<IngestFormat, FormatDocument>> = {
  kong: { summary: 'entries of Kong’s http-log plugin', subject: 'consumer.custom_id, else consumer.username, else consumer.id', identity: 'request.id', isJson: true },
  apisix: { summary: 'entries of APISIX’s http-logger plugin', subject: 'consumer.username (consumer_name of a log_format)', identity: `the header x-request-id, else ${ordinal}`, types: ['text/plain'], isJson: true },
  nginx: { summary: 'NGINX access-log lines in JSON', subject: 'consumer, else remote_user, else remote_addr', identity: `request_id, else ${ordinal}`, types: ['text/plain'], isJson: true },
  envoy: { summary: 'Envoy access-log lines in JSON', subject: 'customer, else consumer, else user', identity: `x_request_id, else request_id, else stream_id, else ${ordinal}`, types: ['text/plain'], isJson: true },
  'aws-api-gateway': { summary: 'AWS API Gateway access-log lines in JSON, plain or in the records of Data Firehose', subject: 'principalId unless it is "-", else apiKeyId', identity: `extendedRequestId, else requestId, else ${ordinal}`, types: ['text/plain'], isJson: true },
  tyk: { summary: 'records of Tyk Pump', subject: 'alias, else oauth_id, else api_key', identity: ordinal, types: ['text/plain'], isJson: true },
  segment: { summary: 'calls of Segment’s HTTP API, one or a batch', subject: 'userId, else groupId, else anonymousId', identity: 'messageId', isJson: true },
  combined: { summary: 'lines of an access log in combined format', subject: 'the client address, or with subject=user the remote user', identity: ordinal, types: ['text/plain'], isJson: false },
};

const firehoseAnswer = { type: 'object', required: ['requestId', 'timestamp'], properties: { requestId: { type: 'string' }, timestamp: { type: 'integer' }, errorMessage: { type: 'string' } } };

function queryParameters(schema: z.ZodType): { name: string; in: 'query'; required: false; schema: JsonSchema }[] {
  const parameters = schemaOf(schema, 'input').properties as Record<string, JsonSchema>;
  return Object.entries(parameters).map(([name, parameter]) => ({ name, in: 'query', required: false, schema: parameter }));
}

/** Any Content-Type is taken; those that senders use are named. */
function ingestOperation(format: IngestFormat): Record<string, unknown> {
  const { summary, subject, identity, types = [], isJson } = formatDocuments[format];
  const json = { oneOf: [{ type: 'object' }, { type: 'array', items: { type: 'object' } }] };
  const content = Object.fromEntries([
    ...(isJson ? [['application/json', { schema: json }], ['application/x-ndjson', { schema: { type: 'string' } }]] : []),
    ...types.map((type) => [type, { schema: { type: 'string' } }]),
  ] as [string, unknown][]);
  const isFirehose = format === 'aws-api-gateway';
  return {
    operationId: `ingest${format.split('-').map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join('')}`,
    summary: `Report usage as ${summary}`,
    description: [
      `Each entry becomes an event${format === 'segment' ? '' : ' of type http.request'}. Subject: ${subject}. Identity: ${identity}; with batch, the number of the line.`,
      'An entry that can not be read is refused by itself: unless the request has to be tried again, the answer is 2xx.',
      ...(isFirehose ? ['A request of Data Firehose (X-Amz-Firehose-Request-Id, or its envelope) is answered in its own form, with 200 or with errorMessage.'] : []),
    ].join(' '),
    tags: ['events'],
    parameters: queryParameters(format === 'segment' ? callIngestQuerySchema : httpIngestQuerySchema),
    requestBody: { required: true, content },
    responses: { ...(isFirehose ? { 200: { description: 'The records of Data Firehose were taken.', content: { 'application/json': { schema: firehoseAnswer } } } } : {}), ...responses([400, 401, 403, 413, 415, 422, 503]) },
  };
}

/** The paths of the ingest app, which lives on the Fastify instance itself and is unknown to Nest's own document. */
export const ingestOpenApi = {
  '/v1/events': {
    post: {
      operationId: 'postEvents',
      summary: 'Report usage: one event or many',
      description: 'Identity is (organization, source, id): sending again is always safe. A CloudEvent in binary mode has its attributes in ce-* headers. Bodies may be compressed with gzip.',
      tags: ['events'],
      parameters: queryParameters(eventsQuerySchema),
      requestBody: {
        required: true,
        content: {
          'application/json': { schema: schemaOf(eventsBodySchema, 'input') },
          'application/cloudevents+json': { schema: schemaOf(cloudEventSchema, 'input') },
          'application/cloudevents-batch+json': { schema: schemaOf(z.array(cloudEventSchema), 'input') },
          'application/x-ndjson': { schema: { type: 'string', description: 'One event a line.', 'x-line-schema': schemaOf(eventListBodySchema.element, 'input') } },
        },
      },
      responses: { ...responses([400, 401, 403, 413, 415, 503]), 422: refusedAsAWhole },
    },
  },
  '/v1/events/void': correction('voidEvents', {
    summary: 'Take events back: one or many',
    description: 'A voided event counts nowhere, for ever: no later copy and no amendment brings it back.',
    body: voidEventsBodySchema,
  }),
  '/v1/events/amend': correction('amendEvents', {
    summary: 'Give events other data: one or many',
    description: 'Replaces the data and nothing else; the last amendment counts. Copies of the event are still compared with what it came with.',
    body: amendEventsBodySchema,
  }),
  ...Object.fromEntries(ingestFormats.map((format) => [`/v1/ingest/${format}`, { post: ingestOperation(format) }])),
  ...otlpOpenApi,
  ...deadLetterOpenApi,
  ...eventSourceOpenApi,
  ...dropInOpenApi,
  ...stripeOpenApi,
};
