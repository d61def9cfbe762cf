import replyFrom from '@fastify/reply-from';
import Fastify, { type FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { answerClientError, apiVersion, DependencyChecks, makeIds, operationalRoutes, Problem, sendProblem, systemClock, toProblem, type DependencyCheck, type Logger } from '#platform';
import { serveMergedDocuments } from './documents.js';
import { forwardToApps } from './forward.js';
import { appNames } from './route-table.js';
import type { Upstreams } from './upstreams.js';

/** An advance of a test clock answers within five minutes. */
const answerTimeoutMs = 330_000;
const connectTimeoutMs = 5_000;
const idleLookMs = 100;
const connectionsPerProcessMax = 256;
const ids = makeIds();

/** The one origin in front of all apps. Not yet listening. */
export function createFront({ upstreams, logger }: { readonly upstreams: Upstreams; readonly logger: Logger }): FastifyInstance {
  const fastify = Fastify({
    genReqId: () => ids.make('req'),
    requestIdHeader: false,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 8_192 },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, _request, reply) => sendProblem(reply, toProblem(error)),
  });
  fastify.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error);
    if (problem.status >= 500 && problem.status !== 503) logger.error({ err: error, request_id: request.id }, 'A request failed.');
    sendProblem(reply, problem);
  });
  fastify.addHook('onSend', async (request, reply) => {
    if (reply.hasHeader('x-request-id')) return; // An app answered, and said its own.
    void reply.headers({ 'x-request-id': request.id, 'tollway-version': apiVersion });
  });
  closeWhatBecomesIdle(fastify);
  const metrics = frontMetrics(upstreams);
  operationalRoutes({ checks: new DependencyChecks(checksOf(upstreams), systemClock), metrics: metrics.registry })(fastify);
  void fastify.register(replyFrom, {
    disableRequestLogging: true,
    undici: { connections: connectionsPerProcessMax, pipelining: 1, connect: { timeout: connectTimeoutMs }, headersTimeout: answerTimeoutMs, bodyTimeout: answerTimeoutMs },
  });
  void fastify.register((scope, _options, done) => {
    serveMergedDocuments(scope, upstreams);
    done();
  });
  void fastify.register((scope, _options, done) => {
    forwardToApps(scope, { upstreams, logger, onForwarded: ({ app, status }) => metrics.forwarded.inc({ app, status: `${Math.floor(status / 100)}xx` }) });
    done();
  });
  return fastify;
}

/** A connection whose body is still read after its early answer becomes idle only later, and would hold up the end until its time is over. */
function closeWhatBecomesIdle(fastify: FastifyInstance): void {
  fastify.addHook('preClose', async () => {
    const closing = setInterval(() => fastify.server.closeIdleConnections(), idleLookMs);
    fastify.server.once('close', () => clearInterval(closing));
  });
}

/** Ready when each app has a process that is. */
function checksOf(upstreams: Upstreams): Record<string, DependencyCheck> {
  return Object.fromEntries(appNames.map((app) => [app, async () => {
    if (!upstreams.of(app).some(({ state }) => state === 'ready')) throw new Problem({ status: 503, code: 'app_unavailable', detail: `The app ${app} is not ready.` });
  }]));
}

function frontMetrics(upstreams: Upstreams): { registry: Registry; forwarded: Counter<'app' | 'status'> } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const forwarded = new Counter({ name: 'tollway_front_requests_total', help: 'Requests by the app that owns their route.', labelNames: ['app', 'status'], registers: [registry] });
  new Gauge({
    name: 'tollway_front_ready_processes',
    help: 'Processes of an app that are ready.',
    labelNames: ['app'],
    registers: [registry],
    collect() {
      for (const app of appNames) this.set({ app }, upstreams.of(app).filter(({ state }) => state === 'ready').length);
    },
  });
  return { registry, forwarded };
}
