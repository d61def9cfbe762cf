import { hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { assert, authenticateRequest, credentialOf, principalOf, Problem, type Authenticator, type Ids, type Logger } from '#platform';
import type { AcceptedBatch } from '../accept-events.js';
import type { MeterEventSessions } from '../drop-ins/meter-event-sessions.js';
import {
  meterEventRefusal, meterEventV1Text, meterEventV2Text, sessionExpiredCode, streamRefusal, stripeErrorBody, type MeterEventAnswer,
} from '../drop-ins/stripe-answers.js';
import { meterEventStream, meterEventV1, meterEventV2, type MeterEventRequest } from '../drop-ins/stripe-meter-events.js';
import type { ReceivedBatch } from '../received-batch.js';
import { loggedProblem } from './logged-problem.js';
import { readBodiesAsBytes } from './read-body.js';
import type { TakeBatch } from './take-events.js';

export interface StripeRouteDependencies {
  readonly takeBatch: TakeBatch;
  readonly authenticator: Authenticator;
  readonly sessions: MeterEventSessions;
  readonly ids: Ids;
  readonly logger: Logger;
}

/** The routes of Stripe's meter events. Whoever posts to the stream has the token of a session, to all others the API key. */
export function registerStripeRoutes(fastify: FastifyInstance, deps: StripeRouteDependencies): void {
  void fastify.register((scope, _options, done) => {
    prepare(scope, deps.authenticator, deps.logger);
    keyRoutes(scope, deps);
    done();
  });
  void fastify.register((scope, _options, done) => {
    prepare(scope, ofSessions(deps), deps.logger);
    streamRoute(scope, deps);
    done();
  });
}

function prepare(scope: FastifyInstance, authenticator: Authenticator, logger: Logger): void {
  readBodiesAsBytes(scope);
  scope.addHook('onRequest', async (request, reply) => {
    reply.header('request-id', request.id); // Where Stripe's clients look for it.
    await authenticateRequest(request, authenticator, 'events:write');
  });
  scope.setErrorHandler((error, request, reply) => {
    const problem = loggedProblem(error, { request, logger });
    return sendJson(reply.headers(problem.headers), { text: JSON.stringify(stripeErrorBody(problem)), status: problem.status });
  });
}

/** Knows the tokens of sessions, as the keys that made them. */
function ofSessions({ authenticator, sessions }: StripeRouteDependencies): Authenticator {
  return {
    authenticate: (token) => {
      const session = sessions.open(token);
      if (session.ok) return authenticator.authenticate(session.credential);
      throw session.code === 'expired'
        ? new Problem({ status: 401, code: sessionExpiredCode, detail: 'The meter event session is over. Make another one at /v2/billing/meter_event_session.' })
        : new Problem({ status: 401, code: 'unauthorized', detail: 'Send the authentication_token of a meter event session as "Authorization: Bearer <token>".' });
    },
  };
}

function keyRoutes(scope: FastifyInstance, { takeBatch, sessions, ids }: StripeRouteDependencies): void {
  const takeOne = async (request: FastifyRequest, read: (request: MeterEventRequest) => ReceivedBatch) => {
    const { outcome } = await takeBatch(request, { read: (body) => read({ headers: request.headers, body, makeIdentifier: identifierMaker(request, ids) }), keepsAllRefused: false });
    return outcome;
  };

  scope.post('/v1/billing/meter_events', async (request, reply) => {
    const outcome = await takeOne(request, meterEventV1);
    if (outcome.rejected.length > 0) throw meterEventRefusal(outcome, 'v1');
    return sendJson(reply, { text: meterEventV1Text(answerOf(request, outcome)) });
  });

  scope.post('/v2/billing/meter_events', async (request, reply) => {
    const outcome = await takeOne(request, meterEventV2);
    if (outcome.rejected.length > 0) throw meterEventRefusal(outcome, 'v2');
    return sendJson(reply, { text: meterEventV2Text(answerOf(request, outcome)) });
  });

  scope.post('/v2/billing/meter_event_session', (request, reply) => {
    (request.body as Readable | undefined)?.resume(); // It has no parameters.
    const { id, token, createdAt, expiresAt } = sessions.start(credentialOf(request) ?? '');
    const isLive = principalOf(request).mode === 'live';
    const session = { id, object: 'v2.billing.meter_event_session', authentication_token: token, created: createdAt.toString(), expires_at: expiresAt.toString(), livemode: isLive };
    return sendJson(reply, { text: JSON.stringify(session) });
  });
}

/** As Stripe's stream checks events after its answer, faulty ones beside good ones stand in the dead letters. */
function streamRoute(scope: FastifyInstance, { takeBatch, ids }: StripeRouteDependencies): void {
  scope.post('/v2/billing/meter_event_stream', async (request, reply) => {
    const read = (body: Buffer) => meterEventStream({ headers: request.headers, body, makeIdentifier: identifierMaker(request, ids) });
    const { outcome } = await takeBatch(request, { read, keepsAllRefused: false });
    if (outcome.accepted === 0 && outcome.rejected.length > 0) throw streamRefusal(outcome);
    return sendJson(reply, { text: '{}' });
  });
}

/** Stripe's clients repeat a request under the same Idempotency-Key, so the events that it made identifiers for are the same ones. */
function identifierMaker({ headers }: FastifyRequest, ids: Ids): (index: number) => string {
  const key = headers['idempotency-key'];
  if (typeof key !== 'string' || key === '') return () => ids.make('evt');
  const digest = hash('sha256', key, 'hex');
  return (index) => `idempotency-${digest}-${index}`;
}

function answerOf(request: FastifyRequest, { events, receivedAt }: AcceptedBatch): MeterEventAnswer {
  const [event] = events;
  assert(event !== undefined, 'An event that was not refused must be accepted.');
  return { event, receivedAt, isLive: principalOf(request).mode === 'live' };
}

function sendJson(reply: FastifyReply, { text, status = 200 }: { readonly text: string; readonly status?: number }): FastifyReply {
  return reply.status(status).header('content-type', 'application/json; charset=utf-8').send(text);
}
