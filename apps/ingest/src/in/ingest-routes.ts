import type { FastifyInstance, FastifyReply } from 'fastify';
import { eventsQuerySchema, type EventsAnswerBody } from '#contracts';
import type { FindEventSource } from '#persistence';
import { authenticating, principalOf, sendProblem, type Authenticator, type Logger } from '#platform';
import { AcceptCorrections } from '../accept-corrections.js';
import { AcceptEvents, type AcceptEventsDependencies } from '../accept-events.js';
import { MeterEventSessions } from '../drop-ins/meter-event-sessions.js';
import { readSource } from '../formats/ingest-formats.js';
import { chosenSource } from './chosen-source.js';
import { registerDeadLetterRoutes, type DeadLetterRoutesDependencies } from './dead-letter-routes.js';
import { registerDropInRoutes } from './drop-in-routes.js';
import { registerEventSourceTrialRoute, type EventSourceTrialDependencies } from './event-source-trial-route.js';
import { correctionsOf, eventsOf } from './events-of-request.js';
import { registerFormatRoutes } from './format-routes.js';
import { loggedProblem } from './logged-problem.js';
import { nothingAccepted } from './nothing-accepted.js';
import { registerOtlpRoute } from './otlp-route.js';
import { parsedInput } from './parsed-input.js';
import { readBodiesAsBytes } from './read-body.js';
import { registerStripeRoutes } from './stripe-routes.js';
import { batchTaker, eventTaker, type TakeEvents } from './take-events.js';
import { withBodyWithin } from './with-body.js';

export interface IngestDependencies extends AcceptEventsDependencies, Pick<DeadLetterRoutesDependencies, 'findDeadLetter' | 'listDeadLetters'>, Pick<EventSourceTrialDependencies, 'readEventSource' | 'findCurrentMeters'> {
  readonly authenticator: Authenticator;
  readonly logger: Logger;
  readonly findEventSource: FindEventSource;
  /** Bytes of bodies held at once, by all requests. */
  readonly bodyBytesMax: number;
  /** Seals the tokens of sessions; the same in every process. */
  readonly serverSecret: string;
}

/**
 * Registers the routes that append events, on the Fastify instance itself: Nest's chain costs as much as the rest of a
 * request. They live in a scope of their own, which reads bodies as bytes and leaves the parsers of other routes alone.
 */
export function registerIngestRoutes(fastify: FastifyInstance, deps: IngestDependencies): void {
  const acceptEvents = new AcceptEvents(deps);
  const acceptCorrections = new AcceptCorrections(deps);
  const withBody = withBodyWithin(deps.bodyBytesMax);
  const takeBatch = batchTaker({ acceptEvents, withBody });
  void fastify.register((scope, _options, done) => {
    readBodiesAsBytes(scope);
    scope.addHook('onRequest', authenticating(deps.authenticator, 'events:write'));
    scope.setErrorHandler((error, request, reply) => sendProblem(reply, loggedProblem(error, { request, logger: deps.logger })));
    routes(scope, { ...deps, acceptEvents, acceptCorrections, withBody, takeEvents: eventTaker(takeBatch) });
    done();
  });
  registerEventSourceTrialRoute(fastify, { ...deps, withBody });
  registerDropInRoutes(fastify, { ...deps, takeBatch });
  registerStripeRoutes(fastify, { ...deps, takeBatch, sessions: new MeterEventSessions(deps.serverSecret, deps.clock) });
}

interface RouteDependencies extends DeadLetterRoutesDependencies {
  readonly logger: Logger;
  readonly acceptCorrections: AcceptCorrections;
  readonly takeEvents: TakeEvents;
  readonly findEventSource: FindEventSource;
}

function routes(scope: FastifyInstance, { acceptCorrections, takeEvents, findEventSource, ...deps }: RouteDependencies): void {
  scope.post('/v1/events', async (request, reply) => {
    // Without a query there is nothing to parse, as nearly always.
    const sourceKey = request.url.includes('?') ? parsedInput(eventsQuerySchema, request.query).source_key : undefined;
    if (sourceKey !== undefined) {
      const source = await chosenSource(findEventSource, { organizationId: principalOf(request).organizationId, sourceKey, format: null });
      // Whoever needs a mapping is a log sender, which drops what is refused as a whole.
      return reply.status(202).send(await takeEvents(request, { read: (body) => readSource(source, body), keepsAllRefused: true }));
    }
    const answer = await takeEvents(request, { read: (body) => eventsOf(request.headers, body), keepsAllRefused: false });
    return sendAnswer(reply, answer);
  });

  for (const [path, kind] of [['/v1/events/void', 'void'], ['/v1/events/amend', 'amendment']] as const) {
    scope.post(path, async (request, reply) => {
      const { organizationId, credentialId } = principalOf(request);
      const answer = await deps.withBody(request, async (body) => acceptCorrections.execute({ organizationId, credentialId, kind, batch: correctionsOf(request.headers, body) }));
      return sendAnswer(reply, answer);
    });
  }

  registerFormatRoutes(scope, { takeEvents, findEventSource, clock: deps.clock, logger: deps.logger });
  registerOtlpRoute(scope, { takeEvents, logger: deps.logger });
  registerDeadLetterRoutes(scope, deps);
}

function sendAnswer(reply: FastifyReply, answer: EventsAnswerBody): FastifyReply {
  if (answer.accepted === 0 && answer.rejected.length > 0) throw nothingAccepted(answer);
  return reply.status(202).send(answer);
}
