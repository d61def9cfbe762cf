import type { FastifyInstance, FastifyReply } from 'fastify';
import type { EventsAnswerBody } from '#contracts';
import { authenticateRequest, principalOf, Problem, sendProblem, valueOrProblem, type Authenticator, type InputFault, type Logger } from '#platform';
import { AcceptEvents, type AcceptEventsDependencies } from '../accept-events.js';
import { ReplayDeadLetter, type ReplayDeadLetterDependencies, type ReplayRefusal } from '../replay-dead-letter.js';
import { eventsOf } from './events-of-request.js';
import { registerFormatRoutes } from './format-routes.js';
import { loggedProblem } from './logged-problem.js';
import { eventTaker } from './take-events.js';

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
    scope.setErrorHandler((error, request, reply) => sendProblem(reply, loggedProblem(error, { request, logger: deps.logger })));
    routes(scope, deps);
    done();
  });
}

const replayStatuses: Readonly<Record<ReplayRefusal, number>> = { not_found: 404, not_replayable: 409 };

function routes(scope: FastifyInstance, deps: IngestDependencies): void {
  const acceptEvents = new AcceptEvents(deps);
  const replayDeadLetter = new ReplayDeadLetter({ acceptEvents, log: deps.log, readDeadLetter: deps.readDeadLetter });
  const takeEvents = eventTaker({ acceptEvents, bodyBytesMax: deps.bodyBytesMax });

  scope.post('/v1/events', async (request, reply) => {
    const answer = await takeEvents(request, { read: (body) => eventsOf(request.headers, body), keepsAllRefused: false });
    return sendAnswer(reply, answer);
  });

  registerFormatRoutes(scope, { takeEvents, clock: deps.clock, logger: deps.logger });

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
