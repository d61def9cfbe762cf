import { PassThrough } from 'node:stream';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem, sendProblem, type Logger } from '#platform';
import { appOf, type AppName } from './route-table.js';
import type { Upstream, Upstreams } from './upstreams.js';

export interface ForwardOptions {
  readonly upstreams: Upstreams;
  readonly logger: Logger;
  readonly onForwarded: (forwarded: { readonly app: AppName; readonly status: number }) => void;
}

const retryAfterSeconds = 1;
const methodsToRepeat = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Sends every request that has no route here to the app that owns its path. Bodies pass through as they come, under the limits of the app. */
export function forwardToApps(fastify: FastifyInstance, options: ForwardOptions): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (_request, payload, parsed) => {
    // A stream of its own: when an app is away it is destroyed with its body, and the caller's connection must live to hear so.
    const body = new PassThrough();
    body.once('close', () => payload.unpipe(body).resume()); // What is left is read and dropped.
    payload.once('error', (error) => body.destroy(error));
    parsed(null, payload.pipe(body));
  });
  fastify.addHook('onResponse', async (request, reply) => {
    const app = appOfRequest(request);
    if (app !== null) options.onForwarded({ app, status: reply.statusCode });
  });
  fastify.all('/*', (request, reply) => {
    const app = appOfRequest(request);
    if (app === null) throw new Problem({ status: 404, code: 'not_found', detail: 'There is no such route.' });
    return forward({ app, request, reply }, options);
  });
}

function appOfRequest(request: FastifyRequest): AppName | null {
  return appOf({ method: request.method, path: request.url.split('?', 1)[0] ?? '/' });
}

interface Forwarding {
  readonly app: AppName;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

function forward(forwarding: Forwarding, options: ForwardOptions, triesLeft = options.upstreams.of(forwarding.app).length): FastifyReply {
  const { app, request, reply } = forwarding;
  const upstream = options.upstreams.pick(app);
  if (upstream === null) return answerAway(forwarding);
  return reply.from(request.raw.url ?? '/', {
    getUpstream: () => upstream.url,
    rewriteRequestHeaders: (_request, headers) => requestHeaders(request, headers),
    retryDelay: () => null, // Here, not there: another process may answer where this one does not.
    onError: (_reply, { error }) => {
      if (reply.raw.destroyed || reply.sent) return; // The caller went away, and the request with them.
      const cause = noteLoss(error, { app, upstream }, options);
      if (cause !== 'slow' && methodsToRepeat.has(request.method) && triesLeft > 1) forward(forwarding, options, triesLeft - 1);
      else answerAway(forwarding);
    },
  });
}

/** A process that takes its time lives; one whose connection broke is looked at before it gets another request. */
function noteLoss(error: Error, { app, upstream }: { app: AppName; upstream: Upstream }, { upstreams, logger }: ForwardOptions): 'slow' | 'lost' {
  const isSlow = (error as { statusCode?: number }).statusCode === 504;
  if (!isSlow) upstreams.lost(upstream);
  logger.warn({ err: error, app, upstream: upstream.url }, 'An app did not answer a request.');
  return isSlow ? 'slow' : 'lost';
}

/** Nothing says whether the app had begun: whoever asked may ask again, and what they sent has its identity or its Idempotency-Key. */
function answerAway({ app, request, reply }: Forwarding): FastifyReply {
  if (request.body instanceof PassThrough) request.body.destroy();
  sendProblem(reply, new Problem({
    status: 503, code: 'app_unavailable', detail: `The app ${app} does not answer. Try again.`, headers: { 'retry-after': String(retryAfterSeconds) },
  }));
  return reply;
}

/** The caller's own, and where they came from. `expect` was answered here. */
function requestHeaders(request: FastifyRequest, sent: IncomingHttpHeaders): IncomingHttpHeaders {
  const { expect: _answered, ...headers } = sent;
  const before = headers['x-forwarded-for'];
  const from = request.socket.remoteAddress ?? 'unknown';
  return {
    ...headers,
    host: request.headers.host,
    'x-forwarded-for': before === undefined ? from : `${String(before)}, ${from}`,
    'x-forwarded-host': headers['x-forwarded-host'] ?? request.headers.host,
    'x-forwarded-proto': headers['x-forwarded-proto'] ?? 'http',
  };
}
