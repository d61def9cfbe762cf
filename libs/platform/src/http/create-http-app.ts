import { pipeline, Transform, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Type, DynamicModule } from '@nestjs/common';
import { NestFactory, Reflector } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { makeIds } from '../ids/ids.js';
import { NestLogger, type Logger } from '../logging/logger.js';
import { ScopeGuard } from './authenticate.js';
import { parseExactJson, takeDecimalsAsText } from './exact-json.js';
import type { Authenticator } from './principal.js';
import { Problem } from './problem.js';
import { ProblemFilter, sendProblem, toProblem } from './problem-filter.js';
import { validationPipe } from './validate-body.js';

export interface HttpAppOptions {
  readonly module: Type | DynamicModule;
  readonly logger: Logger;
  readonly authenticator: Authenticator;
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
    frameworkErrors: (error: Error, _request: FastifyRequest, reply: FastifyReply) => sendProblem(reply, toProblem(error)),
  });
  const fastify = adapter.getInstance() as unknown as FastifyInstance;
  fastify.addHook('onSend', async (request, reply) => {
    void reply.header('x-request-id', request.id);
  });
  fastify.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error);
    if (problem.status >= 500) options.logger.error({ err: error, request_id: request.id }, 'A request failed.');
    sendProblem(reply, problem);
  });
  const app = await NestFactory.create<NestFastifyApplication>(options.module, adapter, {
    logger: new NestLogger(options.logger),
    abortOnError: false,
    bodyParser: false,
    rawBody: false,
  });
  parseJsonBodies(fastify, options.decimalFields);
  for (const register of options.routes ?? []) register(fastify);
  app.useGlobalFilters(new ProblemFilter(options.logger));
  app.useGlobalPipes(validationPipe());
  app.useGlobalGuards(new ScopeGuard(app.get(Reflector), options.authenticator));
  return app;
}

/** JSON bodies of the ordinary routes: exact numbers, and the raw text kept for what is signed or fingerprinted. */
function parseJsonBodies(fastify: FastifyInstance, decimalFields: ReadonlySet<string>): void {
  fastify.addContentTypeParser(/^application\/(?:[\w.+-]+\+)?json(?:;|$)/, { parseAs: 'buffer' }, (request, body, done) => {
    const text = body.toString('utf8');
    rawBodies.set(request, text);
    if (text === '') {
      done(null, undefined);
      return;
    }
    try {
      done(null, takeDecimalsAsText(parseExactJson(text), decimalFields));
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'It is no JSON.';
      done(new Problem({ status: 400, code: 'invalid_json', detail: `The body is no valid JSON: ${reason}` }), undefined);
    }
  });
}

const rawBodies = new WeakMap<FastifyRequest, string>();

/** The body as it was sent, inflated; empty where there was none. */
export function rawBodyOf(request: FastifyRequest): string {
  return rawBodies.get(request) ?? '';
}

/** A preParsing hook that inflates gzip bodies and stops at `sizeMax` inflated bytes with 413, whatever the header says. */
export function inflateBody(sizeMax: number) {
  return async (request: FastifyRequest, _reply: unknown, payload: Readable): Promise<Readable> => {
    const encoding = request.headers['content-encoding']?.trim().toLowerCase();
    if (encoding === undefined || encoding === '' || encoding === 'identity') return payload;
    if (encoding !== 'gzip' && encoding !== 'x-gzip') {
      throw new Problem({ status: 415, code: 'unsupported_encoding', detail: 'Send the body plain or with Content-Encoding: gzip.' });
    }
    delete request.headers['content-encoding'];
    delete request.headers['content-length'];
    let size = 0;
    const bound = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        size += chunk.length;
        done(size > sizeMax ? new Problem({ status: 413, code: 'body_too_large', detail: `The body is larger than ${sizeMax} bytes when inflated.` }) : null, chunk);
      },
    });
    // The error reaches Fastify through `bound`, which the pipeline destroys with it.
    return pipeline(payload, createGunzip(), bound, (error) => {
      if (error && !(error instanceof Problem)) Object.assign(error, { statusCode: 400 });
    });
  };
}
