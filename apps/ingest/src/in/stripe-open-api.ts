import {
  stripeErrorSchema, stripeMeterEventSessionSchema, stripeMeterEventStreamSchema, stripeMeterEventV1CreatedSchema, stripeMeterEventV1Schema, stripeMeterEventV2CreatedSchema, stripeMeterEventV2Schema,
} from '#contracts';
import { schemaOf } from '#platform';

const error = schemaOf(stripeErrorSchema, 'output');
const problems: Readonly<Record<number, string>> = {
  400: 'The body can not be read, or no event was acceptable.', 401: 'The credential is missing or unknown, or the session is over.', 403: 'The credential lacks the scope events:write.',
  413: 'More than 10,000 events, 10 MiB inflated, or 1,000,000 JSON values.', 415: 'The type of the body is not supported.', 503: 'Nothing of the request counts. Try again after Retry-After seconds.',
};

function answers(description: string, schema: unknown): Record<string, unknown> {
  return {
    200: { description, content: { 'application/json': { schema } } },
    ...Object.fromEntries(Object.entries(problems).map(([status, said]) => [status, { description: said, content: { 'application/json': { schema: error } } }])),
  };
}

const body = (type: string, schema: unknown) => ({ required: true, content: { [type]: { schema } } });

/** The paths that Stripe's clients know. */
export const stripeOpenApi = {
  '/v1/billing/meter_events': {
    post: {
      operationId: 'postStripeMeterEvent',
      summary: 'Report usage as a meter event of Stripe, API v1',
      tags: ['events'],
      requestBody: body('application/x-www-form-urlencoded', schemaOf(stripeMeterEventV1Schema, 'input')),
      responses: answers('The event is durable.', schemaOf(stripeMeterEventV1CreatedSchema, 'output')),
    },
  },
  '/v2/billing/meter_events': {
    post: {
      operationId: 'postStripeMeterEventV2',
      summary: 'Report usage as a meter event of Stripe, API v2',
      tags: ['events'],
      requestBody: body('application/json', schemaOf(stripeMeterEventV2Schema, 'input')),
      responses: answers('The event is durable.', schemaOf(stripeMeterEventV2CreatedSchema, 'output')),
    },
  },
  '/v2/billing/meter_event_session': {
    post: {
      operationId: 'startStripeMeterEventSession',
      summary: 'Get the token that the stream of meter events takes',
      description: 'It may do what the API key may that made it, and ends with that key.',
      tags: ['events'],
      responses: answers('The session.', schemaOf(stripeMeterEventSessionSchema, 'output')),
    },
  },
  '/v2/billing/meter_event_stream': {
    post: {
      operationId: 'postStripeMeterEventStream',
      summary: 'Report usage as many meter events of Stripe at once',
      description: 'The bearer token is that of a session. Where some events are refused they stand in the dead letters, and the others are accepted.',
      tags: ['events'],
      requestBody: body('application/json', schemaOf(stripeMeterEventStreamSchema, 'input')),
      responses: answers('What was acceptable is durable.', { type: 'object', properties: {} }),
    },
  },
};
