import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseWithDecimals } from './exact-json.js';
import { Problem } from './problem.js';

const inflate = promisify(gunzip);

export interface JsonBodyOptions {
  /** Fields in which a number stands for its digits. */
  readonly decimalFields: ReadonlySet<string>;
  /** Bytes of a body, inclusive, once it is inflated. */
  readonly sizeMax: number;
}

/** JSON bodies of the ordinary routes: exact numbers, and the raw text kept for what is signed or fingerprinted. */
export function parseJsonBodies(fastify: FastifyInstance, { decimalFields, sizeMax }: JsonBodyOptions): void {
  // Fastify's own parser for application/json would be asked before one for a pattern, and loses digits.
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(/^application\/(?:[\w.+-]+\+)?json(?:;|$)/, { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    const text = utf8Of(await inflated(body, { encoding: request.headers['content-encoding'], sizeMax }));
    rawBodies.set(request, text);
    if (text === '') return undefined;
    try {
      return parseWithDecimals(text, decimalFields);
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'It is no JSON.';
      throw new Problem({ status: 400, code: 'invalid_json', detail: `The body is no valid JSON: ${reason}` });
    }
  });
}

const rawBodies = new WeakMap<FastifyRequest, string>();

/** The body as it was sent, inflated; empty where there was none. */
export function rawBodyOf(request: FastifyRequest): string {
  return rawBodies.get(request) ?? '';
}

async function inflated(body: Buffer, { encoding: header, sizeMax }: { encoding: string | undefined; sizeMax: number }): Promise<Buffer> {
  const encoding = header?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return body;
  if (encoding !== 'gzip' && encoding !== 'x-gzip') {
    throw new Problem({ status: 415, code: 'unsupported_encoding', detail: 'Send the body plain or with Content-Encoding: gzip.' });
  }
  try {
    return await inflate(body, { maxOutputLength: sizeMax });
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_BUFFER_TOO_LARGE') throw new Problem({ status: 400, code: 'invalid_gzip', detail: 'The body is no whole gzip stream.' });
    throw new Problem({ status: 413, code: 'body_too_large', detail: `The body is larger than ${sizeMax} bytes when inflated.` });
  }
}

/** A byte that is no UTF-8 is refused: replaced in silence, a name would be kept that nobody sent. A byte order mark is dropped. */
function utf8Of(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Problem({ status: 400, code: 'invalid_utf8', detail: 'The body is no valid UTF-8.' });
  }
}
