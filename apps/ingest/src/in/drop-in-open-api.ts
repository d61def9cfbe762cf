import { z } from 'zod';
import { cloudEventSchema, lagoBatchBodySchema, lagoBatchCreatedSchema, lagoEventBodySchema, lagoEventCreatedSchema, lagoRefusalSchema } from '#contracts';
import { problemReference, schemaOf } from '#platform';
import { nothingAccepted, problemResponses } from './open-api-schemas.js';

const refused = 'No event was acceptable.';
const commonAnswers = problemResponses([400, 401, 403, 413, 415, 503]);
const lagoRefusal = { allOf: [problemReference, schemaOf(lagoRefusalSchema, 'output')] };
const refusalOf = (description: string, schema: unknown) => ({ description, content: { 'application/problem+json': { schema } } });
const cloudEvents = { oneOf: [schemaOf(cloudEventSchema, 'input'), schemaOf(z.array(cloudEventSchema), 'input')] };
const cloudEventTypes = { 'application/cloudevents+json': { schema: schemaOf(cloudEventSchema, 'input') }, 'application/cloudevents-batch+json': { schema: schemaOf(z.array(cloudEventSchema), 'input') } };
const taken = { description: 'What was acceptable is durable; what was refused beside it stands in the dead letters.' };

/** The paths that clients of OpenMeter and Lago know. */
export const dropInOpenApi = {
  '/api/v1/events': {
    post: {
      operationId: 'postDropInEvents',
      summary: 'Report usage as OpenMeter or Lago takes it',
      description: 'CloudEvents are read as OpenMeter does, an object with "event" as Lago does; anything else is refused. Sending again is always safe.',
      tags: ['events'],
      requestBody: { required: true, content: { ...cloudEventTypes, 'application/json': { schema: { oneOf: [...cloudEvents.oneOf, schemaOf(lagoEventBodySchema, 'input')] } } } },
      responses: {
        200: { description: 'The event of Lago is durable.', content: { 'application/json': { schema: schemaOf(lagoEventCreatedSchema, 'output') } } },
        204: taken,
        ...commonAnswers,
        422: refusalOf(refused, { anyOf: [nothingAccepted, lagoRefusal] }),
      },
    },
  },
  '/api/v3/openmeter/events': {
    post: {
      operationId: 'postOpenMeterEvents',
      summary: 'Report usage as CloudEvents, one or many, as Kong\'s metering plugin does',
      tags: ['events'],
      requestBody: { required: true, content: { ...cloudEventTypes, 'application/json': { schema: cloudEvents } } },
      responses: { 204: taken, ...commonAnswers, 422: refusalOf(refused, nothingAccepted) },
    },
  },
  '/api/v1/events/batch': {
    post: {
      operationId: 'postLagoBatch',
      summary: 'Report usage as a batch of Lago',
      description: 'Where some events are refused the others are accepted all the same; the answer names those that are not.',
      tags: ['events'],
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(lagoBatchBodySchema, 'input') } } },
      responses: {
        200: { description: 'Every event is durable.', content: { 'application/json': { schema: schemaOf(lagoBatchCreatedSchema, 'output') } } },
        ...commonAnswers,
        422: refusalOf('Some events were refused, or all.', lagoRefusal),
      },
    },
  },
};
