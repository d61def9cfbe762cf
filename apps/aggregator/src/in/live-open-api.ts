import type { z } from 'zod';
import { liveEventsQuerySchema, meterUsageQuerySchema } from '#contracts';
import { problemResponse, schemaOf } from '#platform';

function operation(of: { operationId: string; summary: string; description: string; query: z.ZodType; path: readonly string[] }) {
  const { properties = {}, required = [] } = schemaOf(of.query, 'input') as { properties?: Record<string, object>; required?: string[] };
  return {
    operationId: of.operationId,
    summary: of.summary,
    description: `${of.description} Server-sent events: a comment every 15 seconds keeps the connection; "end" says why the stream ends (shutdown, unauthorized). At most 20 streams of an organization are open in a process.`,
    tags: ['live'],
    parameters: [
      ...of.path.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
      ...Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: required.includes(name), schema })),
      { name: 'Last-Event-ID', in: 'header', required: false, schema: { type: 'string' }, description: 'The id of the last message that was seen.' },
    ],
    responses: {
      200: { description: 'The stream.', content: { 'text/event-stream': { schema: { type: 'string' } } } },
      401: problemResponse('The credential is missing or unknown.'), 403: problemResponse('The credential lacks the scope usage:read.'), 404: problemResponse('There is no such object.'),
      422: problemResponse('The request was understood and refused.'), 429: problemResponse('Too many streams are open.'), 503: problemResponse('Try again.'),
    },
  };
}

/** The streams, which live on the Fastify instance itself and are unknown to Nest's own document. */
export const liveOpenApi = {
  '/v1/events/live': {
    get: operation({
      operationId: 'streamEvents',
      summary: 'Events as they are counted',
      description: 'Each message "event" is an event as GET /v1/events lists it, with what became of it. With Last-Event-ID it goes on behind that message, for events of the last two days.',
      query: liveEventsQuerySchema, path: [],
    }),
  },
  '/v1/meters/{meter}/usage/live': {
    get: operation({
      operationId: 'streamMeterUsage',
      summary: 'What a meter counted, again whenever it changes',
      description: 'Each message "usage" is the whole answer of GET /v1/meters/{meter}/usage, at most 1,000 rows. With Last-Event-ID the first comes when it differs from the one that was seen.',
      query: meterUsageQuerySchema, path: ['meter'],
    }),
  },
};
