import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { combinedQuerySchema, eventsBodySizeMax, type EventsAnswerBody } from '#contracts';
import {
  authenticateRequest, invalidInput, principalOf, Problem, sendProblem, toProblem, valueOrProblem, type Authenticator, type InputFault, type Logger,
} from '#platform';
import { AcceptEvents, type AcceptEventsDependencies } from '../accept-events.js';
import { combinedEvents } from '../formats/combined-events.js';
import type { ReceivedBatch } from '../received-batch.js';
import { ReplayDeadLetter, type ReplayDeadLetterDependencies, type ReplayRefusal } from '../replay-dead-letter.js';
import { eventsOf } from './events-of-request.js';
import { readBody } from './read-body.js';
import { RequestBudget } from './request-budget.js';

export interface IngestDependencies extends AcceptEventsDependencies, Pick<ReplayDeadLetterDependencies, 'readDeadLetter'> {
  readonly authenticator: Authenticator;
  readonly logger: Logger;
  /** Bytes of bodies held at once, by all requests. */
  readonly bodyBytesMax: number;
}

/**
 * Registers the routes that append events, on the Fastify instance itself: Nest's chain costs as much as the rest of a
 * request. They live in a scope of their own, which reads bodies as bytes and leaves the parsers of other routes alone.
 */
export function registerIngestRoutes(fastify: FastifyInstance, deps: IngestDependencies): void {
  void fastify.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));
    scope.addHook('onRequest', async (request) => {
      await authenticateRequest(request, deps.authenticator, 'events:write');
    });
    scope.setErrorHandler((error, request, reply) => answerError({ error, request, reply, logger: deps.logger }));
    routes(scope, deps);
    done();
  });
}

const replayStatuses: Readonly<Record<ReplayRefusal, number>> = { not_found: 404, not_replayable: 409 };

function routes(scope: FastifyInstance, deps: IngestDependencies): void {
  const acceptEvents = new AcceptEvents(deps);
  const replayDeadLetter = new ReplayDeadLetter({ acceptEvents, log: deps.log, readDeadLetter: deps.readDeadLetter });
  const budget = new RequestBudget(deps.bodyBytesMax);

  const withBody = async (request: FastifyRequest, read: (body: Buffer) => ReceivedBatch, keepsAllRefused: boolean): Promise<EventsAnswerBody> => {
    const lease = budget.lease();
    try {
      const body = await readBody(request.body as Readable | undefined, { contentEncoding: request.headers['content-encoding'], sizeMax: eventsBodySizeMax, lease });
      return await acceptEvents.execute({ organizationId: principalOf(request).organizationId, batch: read(body), keepsAllRefused });
    } finally {
      lease.release();
    }
  };

  scope.post('/v1/events', async (request, reply) => {
    const answer = await withBody(request, (body) => eventsOf(request.headers, body), false);
    return sendAnswer(reply, answer);
  });

  scope.post('/v1/ingest/combined', async (request, reply) => {
    const query = combinedQuerySchema.safeParse(request.query);
    if (!query.success) throw invalidInput(query.error.issues as Parameters<typeof invalidInput>[0]);
    const { batch = null, first_line: firstLine = '1', subject = 'client' } = query.data;
    const options = { batch, firstLine: Number.parseInt(firstLine, 10), subject };
    const answer = await withBody(request, (body) => combinedEvents(body, options), true);
    // Gateways send a batch again when it is refused as a whole, and then drop it: what was refused stands inside.
    return reply.status(202).send(answer);
  });

  scope.post<{ Params: { id: string } }>('/v1/dead-letters/:id/replay', async (request, reply) => {
    const outcome = await replayDeadLetter.execute({ organizationId: principalOf(request).organizationId, deadLetterId: request.params.id });
    return sendAnswer(reply, valueOrProblem(outcome, replayStatuses));
  });
}

function sendAnswer(reply: FastifyReply, answer: EventsAnswerBody): FastifyReply {
  if (answer.accepted === 0 && answer.rejected.length > 0) throw nothingAccepted(answer);
  return reply.status(202).send(answer);
}

/** Faults that stand beside `rejected` once more where a single event was posted, as those of any other body do. */
function nothingAccepted({ accepted, rejected }: EventsAnswerBody): Problem {
  const [first] = rejected;
  const errors: readonly InputFault[] | undefined = rejected.length === 1 ? first?.errors : undefined;
  const detail = rejected.length === 1 ? `The event was refused. ${first?.detail ?? ''}` : `None of the ${rejected.length} events was accepted.`;
  return new Problem({ status: 422, code: 'nothing_accepted', detail, errors, extensions: { accepted, rejected } });
}

function answerError({ error, request, reply, logger }: { error: unknown; request: FastifyRequest; reply: FastifyReply; logger: Logger }): void {
  const problem = toProblem(error);
  if (problem.status >= 500) {
    const route = request.routeOptions.url ?? 'unknown route';
    logger[problem.status === 503 ? 'warn' : 'error']({ err: error, request_id: request.id, route }, 'A request failed.');
  }
  sendProblem(reply, problem);
}
