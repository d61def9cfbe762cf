import type { FastifyInstance, FastifyReply } from 'fastify';
import type { EventsAnswerBody } from '#contracts';
import { authenticating, principalOf, type Authenticator, type Logger, type Problem } from '#platform';
import { lagoEventTexts, lagoRefusal } from '../drop-ins/lago-answers.js';
import { lagoBatch, openMeterEvents, openMeterOrLagoEvents } from '../drop-ins/open-meter-or-lago.js';
import { loggedProblem } from './logged-problem.js';
import { nothingAccepted } from './nothing-accepted.js';
import { readBodiesAsBytes } from './read-body.js';
import type { TakeBatch } from './take-events.js';

export interface DropInDependencies {
  readonly takeBatch: TakeBatch;
  readonly authenticator: Authenticator;
  readonly logger: Logger;
}

/** The routes that clients of OpenMeter and Lago post to, unchanged but for the address and the key. */
export function registerDropInRoutes(fastify: FastifyInstance, deps: DropInDependencies): void {
  void fastify.register((scope, _options, done) => {
    readBodiesAsBytes(scope);
    scope.addHook('onRequest', authenticating(deps.authenticator, 'events:write'));
    scope.setErrorHandler((error, request, reply) => sendProblem(reply, loggedProblem(error, { request, logger: deps.logger })));
    routes(scope, deps.takeBatch);
    done();
  });
}

function routes(scope: FastifyInstance, takeBatch: TakeBatch): void {
  scope.post('/api/v1/events', async (request, reply) => {
    const { batch, outcome } = await takeBatch(request, { read: (body) => openMeterOrLagoEvents(request.headers, body), keepsAllRefused: false });
    if (batch.client === 'openmeter') return sendOpenMeter(reply, outcome);
    if (outcome.rejected.length > 0) throw lagoRefusal(outcome, 'event');
    return sendJson(reply, `{"event":${lagoEventTexts(outcome, principalOf(request).organizationId).join('')}}`);
  });

  scope.post('/api/v3/openmeter/events', async (request, reply) => {
    const { outcome } = await takeBatch(request, { read: (body) => openMeterEvents(request.headers, body), keepsAllRefused: false });
    return sendOpenMeter(reply, outcome);
  });

  scope.post('/api/v1/events/batch', async (request, reply) => {
    const { outcome } = await takeBatch(request, { read: (body) => lagoBatch(request.headers, body), keepsAllRefused: false });
    if (outcome.rejected.length > 0) throw lagoRefusal(outcome, 'batch');
    return sendJson(reply, `{"events":[${lagoEventTexts(outcome, principalOf(request).organizationId).join(',')}]}`);
  });
}

/** Gateways send a batch again that is refused as a whole, and then drop it: what was refused beside others goes to the dead letters. */
function sendOpenMeter(reply: FastifyReply, { accepted, rejected }: EventsAnswerBody): FastifyReply {
  if (accepted === 0 && rejected.length > 0) throw nothingAccepted({ accepted, rejected });
  return reply.status(204).send();
}

function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.status(200).header('content-type', 'application/json; charset=utf-8').send(text);
}

/** One form for both clients: a problem, which OpenMeter's takes under this very media type only, with the `error` that Lago's looks for. */
function sendProblem(reply: FastifyReply, problem: Problem): void {
  const body = problem.toBody(reply.request.id);
  const error = problem.status === 422 ? 'Unprocessable Entity' : body.title;
  void reply.status(problem.status).headers(problem.headers).header('content-type', 'application/problem+json').send(Buffer.from(JSON.stringify({ ...body, error })));
}
