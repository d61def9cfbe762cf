import {
  deadLetterDiscardedSchema, deadLetterDiscardSchema, deadLetterReplayedSchema, deadLetterReplaySchema, deadLettersDiscardedSchema, deadLettersDiscardSchema, deadLettersReplayedSchema, deadLettersReplaySchema,
} from '#contracts';
import { schemaOf, type JsonSchema } from '#platform';
import { problemResponses } from './open-api-schemas.js';

const idParameter = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };

function operation(of: { operationId: string; summary: string; description: string; body: JsonSchema; answer: JsonSchema; problems: readonly number[]; isOfOne: boolean }) {
  return {
    operationId: of.operationId,
    summary: of.summary,
    description: of.description,
    tags: ['dead letters'],
    ...(of.isOfOne ? { parameters: [idParameter] } : {}),
    requestBody: { required: false, content: { 'application/json': { schema: of.body } } },
    responses: { 202: { description: 'It is in the log; the letters show it a moment later.', content: { 'application/json': { schema: of.answer } } }, ...problemResponses(of.problems) },
  };
}

export const deadLetterOpenApi = {
  '/v1/dead-letters/{id}/replay': {
    post: operation({
      operationId: 'replayDeadLetter',
      summary: 'Post what a dead letter holds once more, or a corrected event',
      description: 'Without a body it is posted as it was. A second replay changes nothing: it is answered as the first one was.',
      body: schemaOf(deadLetterReplaySchema, 'input'), answer: schemaOf(deadLetterReplayedSchema, 'output'), problems: [400, 401, 403, 404, 409, 413, 422, 503], isOfOne: true,
    }),
  },
  '/v1/dead-letters/{id}/discard': {
    post: operation({
      operationId: 'discardDeadLetter',
      summary: 'Put a dead letter aside',
      description: 'It is kept, and can still be replayed.',
      body: schemaOf(deadLetterDiscardSchema, 'input'), answer: schemaOf(deadLetterDiscardedSchema, 'output'), problems: [400, 401, 403, 404, 409, 422, 503], isOfOne: true,
    }),
  },
  '/v1/dead-letters/replay': {
    post: operation({
      operationId: 'replayDeadLetters',
      summary: 'Post what open dead letters hold once more',
      description: 'The oldest first. Those that are refused again stay open; go on behind them with starting_after.',
      body: schemaOf(deadLettersReplaySchema, 'input'), answer: schemaOf(deadLettersReplayedSchema, 'output'), problems: [400, 401, 403, 422, 503], isOfOne: false,
    }),
  },
  '/v1/dead-letters/discard': {
    post: operation({
      operationId: 'discardDeadLetters',
      summary: 'Put open dead letters aside',
      description: 'The oldest first.',
      body: schemaOf(deadLettersDiscardSchema, 'input'), answer: schemaOf(deadLettersDiscardedSchema, 'output'), problems: [400, 401, 403, 422, 503], isOfOne: false,
    }),
  },
};
