import { pipeline, Transform, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseWithDecimals } from './exact-json.js';
import { Problem } from './problem.js';

/** JSON bodies of the ordinary routes: exact numbers, and the raw text kept for what is signed or fingerprinted. */
export function parseJsonBodies(fastify: FastifyInstance, decimalFields: ReadonlySet<string>): void {
  // Fastify's own parser for application/json would be asked before one for a pattern, and loses digits.
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(/^application\/(?:[\w.+-]+\+)?json(?:;|$)/, { parseAs: 'buffer' }, (request, body, done) => {
    const text = body.toString('utf8');
    rawBodies.set(request, text);
    if (text === '') {
      done(null, undefined);
      return;
    }
    try {
      done(null, parseWithDecimals(text, decimalFields));
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
