import { z } from 'zod';
import { cloudEventSchema, combinedQuerySchema, eventListBodySchema, eventsAnswerSchema, eventsBodySchema, refusedEventSchema } from '#contracts';

type JsonSchema = Record<string, unknown>;

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io });
  return rest;
}

const answer = schemaOf(eventsAnswerSchema, 'output');
const problem = { $ref: '#/components/schemas/Problem' };
const nothingAccepted = {
  allOf: [problem, { type: 'object', required: ['accepted', 'rejected'], properties: { accepted: { const: 0 }, rejected: { type: 'array', items: schemaOf(refusedEventSchema, 'output') } } }],
};
const combinedParameters = schemaOf(combinedQuerySchema, 'input').properties as Record<string, JsonSchema>;

const problems: Readonly<Record<number, string>> = {
  400: 'The body can not be read.',
  401: 'The credential is missing or unknown.',
  403: 'The credential lacks the scope events:write.',
  404: 'There is no such dead letter.',
  409: 'A dead letter of this kind can not be posted again.',
  413: 'More than 10,000 events or 10 MiB inflated.',
  415: 'The type of the body is not supported.',
  422: 'The query was refused.',
  503: 'Nothing of the request counts. Try again after Retry-After seconds.',
};

function responses(statuses: readonly number[]): Record<string, unknown> {
  return {
    202: { description: 'What was accepted is durable. What was refused stands in `rejected` and in the dead letters.', content: { 'application/json': { schema: answer } } },
    ...Object.fromEntries(statuses.map((status) => [status, { description: problems[status] ?? 'A problem.', content: { 'application/problem+json': { schema: problem } } }])),
  };
}

const refusedAsAWhole = { description: 'No event was acceptable.', content: { 'application/problem+json': { schema: nothingAccepted } } };

/** The paths of the ingest app, which lives on the Fastify instance itself and is unknown to Nest's own document. */
export const ingestOpenApi = {
  '/v1/events': {
    post: {
      operationId: 'postEvents',
      summary: 'Report usage: one event or many',
      description: 'Identity is (organization, source, id): sending again is always safe. A CloudEvent in binary mode has its attributes in ce-* headers. Bodies may be compressed with gzip.',
      tags: ['events'],
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
  '/v1/ingest/combined': {
    post: {
      operationId: 'ingestCombined',
      summary: 'Report usage as lines of an access log in combined format',
      description: 'Each line becomes an event of type http.request. A line that can not be read is refused by itself.',
      tags: ['events'],
      parameters: Object.entries(combinedParameters).map(([name, schema]) => ({ name, in: 'query', required: false, schema })),
      requestBody: { required: true, content: { 'text/plain': { schema: { type: 'string' } } } },
      responses: responses([401, 403, 413, 422, 503]),
    },
  },
  '/v1/dead-letters/{id}/replay': {
    post: {
      operationId: 'replayDeadLetter',
      summary: 'Post what a dead letter holds once more',
      tags: ['events'],
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      responses: { ...responses([401, 403, 404, 409, 503]), 422: refusedAsAWhole },
    },
  },
};
