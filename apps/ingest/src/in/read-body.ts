import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { Problem } from '#platform';
import { bodyTooLarge } from '../formats/too-large.js';
import type { BodyLease } from './request-budget.js';

const inflate = promisify(gunzip);
const gzipSizeMin = 18;
const mediaType = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(?:;|$)/;

/** Lets the routes of a scope have their bodies as streams of bytes, and leaves the parsers of other routes alone. */
export function readBodiesAsBytes(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  // What is no media type at all is none: Fastify would answer 415 where a log sender gets 2xx whatever it sends.
  scope.addHook('onRequest', (request, _reply, next) => {
    const { headers } = request;
    if (headers['content-type'] !== undefined && !mediaType.test(headers['content-type'])) delete headers['content-type'];
    next();
  });
  // The usual type by its name as well: Fastify takes the header apart at each request that only the last resort answers.
  scope.addContentTypeParser(['application/json', '*'], (_request, payload, parsed) => parsed(null, payload));
}

export interface BodyOptions {
  readonly contentEncoding: string | undefined;
  /** Bytes, inclusive, before and after inflation. */
  readonly sizeMax: number;
  readonly lease: BodyLease;
}

/**
 * The body of a request, inflated. It is collected before it is inflated: a stream of both would tear the connection
 * down at a broken or oversized body, and the client would never read its 400 or 413.
 */
export async function readBody(stream: Readable | undefined, options: BodyOptions): Promise<Buffer> {
  const encoding = options.contentEncoding?.trim().toLowerCase() ?? '';
  const isGzip = encoding === 'gzip' || encoding === 'x-gzip';
  if (!isGzip && encoding !== '' && encoding !== 'identity') {
    throw new Problem({ status: 415, code: 'unsupported_encoding', detail: 'Send the body plain or with Content-Encoding: gzip.' });
  }
  const body = stream === undefined ? Buffer.alloc(0) : await collect(stream, options);
  return isGzip && body.length > 0 ? inflated(body, options) : body;
}

function collect(stream: Readable, { sizeMax, lease }: BodyOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    // The listeners stay: taking them off costs as much as putting them on, and the stream is gone with its request.
    let isOver = false;
    const stop = (error: unknown): void => {
      isOver = true;
      // What is still on its way is read and dropped, so that the client gets its answer on this connection.
      chunks.length = 0;
      reject(error as Error);
    };
    const onData = (chunk: Buffer): void => {
      if (isOver) return;
      size += chunk.length;
      if (size > sizeMax) return stop(bodyTooLarge(sizeMax));
      try {
        lease.grow(chunk.length);
      } catch (error) {
        return stop(error);
      }
      chunks.push(chunk);
    };
    const onEnd = (): void => {
      if (isOver) return;
      isOver = true;
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size));
    };
    const onBroken = (): void => {
      if (!isOver) stop(new Problem({ status: 400, code: 'body_incomplete', detail: 'The body ended before its end.' })); // Each stream closes, and an error costs its stack.
    };
    stream.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
  });
}

/** The trailer of gzip says how much comes out; it is believed at first, so that a small body takes a small share. */
async function inflated(body: Buffer, { sizeMax, lease }: BodyOptions): Promise<Buffer> {
  const promised = body.length < gzipSizeMin ? 0 : body.readUInt32LE(body.length - 4);
  const first = Math.min(promised, sizeMax);
  lease.grow(first);
  try {
    return await inflate(body, { maxOutputLength: Math.max(first, 1) });
  } catch (error) {
    if (!isTooLarge(error)) throw invalidGzip();
    if (first === sizeMax) throw bodyTooLarge(sizeMax);
  }
  // Several gzip members in a row are one body, and only the last one's size is in the trailer.
  lease.grow(sizeMax - first);
  try {
    return await inflate(body, { maxOutputLength: sizeMax });
  } catch (error) {
    throw isTooLarge(error) ? bodyTooLarge(sizeMax) : invalidGzip();
  }
}

function isTooLarge(error: unknown): boolean {
  return (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE';
}

function invalidGzip(): Problem {
  return new Problem({ status: 400, code: 'invalid_gzip', detail: 'The body is no whole gzip stream.' });
}
