import { eventSourceTrialAnswerSchema, eventSourceTrialSchema } from '#contracts';
import { problemResponse, schemaOf } from '#platform';
import { problemResponses } from './open-api-schemas.js';

export const eventSourceOpenApi = {
  '/v1/event-sources/try': {
    post: {
      operationId: 'tryEventSource',
      summary: 'Try an event source on a sample, before or after it exists',
      description: [
        'Takes the body that would make the event source, or source_key, and a body as its sender would post it. Says which events that would make, what would be refused and why, and which meters would count each event, with which value and group.',
        'Nothing is appended or stored. Copies are looked for within the sample only, and whose subject it is is not looked at. Without key and source the events have the name of the format as their source. Needs the scope catalog:read.',
      ].join(' '),
      tags: ['event sources'],
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(eventSourceTrialSchema, 'input') } } },
      responses: {
        200: { description: 'What would become of the sample.', content: { 'application/json': { schema: schemaOf(eventSourceTrialAnswerSchema, 'output') } } },
        ...problemResponses([400, 401, 413, 415, 422, 503]),
        403: problemResponse('The credential lacks the scope catalog:read.'),
      },
    },
  },
};
