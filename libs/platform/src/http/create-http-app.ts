import type { Type, DynamicModule } from '@nestjs/common';
import { NestFactory, Reflector } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { makeIds } from '../ids/ids.js';
import { NestLogger, type Logger } from '../logging/logger.js';
import { negotiateVersion } from './api-version.js';
import { ScopeGuard } from './authenticate.js';
import { answerClientError } from './client-error.js';
import { IdempotencyInterceptor, type IdempotencyStore } from './idempotency.js';
import { parseJsonBodies } from './json-body.js';
import type { Authenticator } from './principal.js';
import { ProblemFilter, sendProblem, toProblem } from './problem-filter.js';
import { validationPipe } from './validate-body.js';

export interface HttpAppOptions {
  readonly module: Type | DynamicModule;
  readonly logger: Logger;
  readonly authenticator: Authenticator;
  /** Keeps the answers of POSTs that name an Idempotency-Key; without it the header is ignored. */
  readonly idempotency?: IdempotencyStore;
  /** Fields of JSON bodies in which a number stands for its digits. */
  readonly decimalFields: ReadonlySet<string>;
  /** Bytes of a body, before and after inflation, on routes that set no limit of their own. */
  readonly bodySizeMax?: number;
  /** Registers routes that live on the Fastify instance itself, for the hot path. */
  readonly routes?: readonly ((fastify: FastifyInstance) => void)[];
}

const bodySizeMaxDefault = 1024 * 1024;
const ids = makeIds();

/** A Nest application on Fastify with the house's errors, authentication, validation and exact JSON. Not yet listening. */
export async function createHttpApp(options: HttpAppOptions): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: options.bodySizeMax ?? bodySizeMaxDefault,
    genReqId: () => ids.make('req'),
    requestIdHeader: false,
    routerOptions: { maxParamLength: 1_024, ignoreTrailingSlash: true },
    forceCloseConnections: 'idle',
    clientErrorHandler: answerClientError,
    frameworkErrors: (error: Error, _request: FastifyRequest, reply: FastifyReply) => sendProblem(reply, toProblem(error)),
  });
  const fastify = adapter.getInstance() as unknown as FastifyInstance;
  // Hooks of every request call back: a promise for each would cost more than what they do.
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    done();
  });
  fastify.addHook('onRequest', negotiateVersion);
  fastify.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error);
    if (problem.status >= 500) options.logger.error({ err: error, request_id: request.id }, 'A request failed.');
    sendProblem(reply, problem);
  });
  // Nest would put its own in its place and lose the codes of what fails before a route, such as a body that is no JSON.
  Object.assign(adapter, { setErrorHandler: () => fastify });
  const app = await NestFactory.create<NestFastifyApplication>(options.module, adapter, {
    logger: new NestLogger(options.logger),
    abortOnError: false,
    bodyParser: false,
    rawBody: false,
  });
  parseJsonBodies(fastify, { decimalFields: options.decimalFields, sizeMax: options.bodySizeMax ?? bodySizeMaxDefault });
  for (const register of options.routes ?? []) register(fastify);
  app.useGlobalFilters(new ProblemFilter(options.logger));
  app.useGlobalPipes(validationPipe());
  if (options.idempotency !== undefined) app.useGlobalInterceptors(new IdempotencyInterceptor(app.get(Reflector), options.idempotency, options.logger));
  app.useGlobalGuards(new ScopeGuard(app.get(Reflector), options.authenticator));
  return app;
}
