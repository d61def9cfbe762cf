import type { Socket } from 'node:net';
import type { ConnectionError } from 'fastify';
import { makeIds } from '../ids/ids.js';
import { Problem } from './problem.js';

const ids = makeIds();

const problems: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: new Problem({ status: 431, code: 'headers_too_large', detail: 'The URL and the headers may have 16 KiB together. Ask for less at once.' }),
  ERR_HTTP_REQUEST_TIMEOUT: new Problem({ status: 408, code: 'request_timeout', detail: 'The request did not arrive whole in time.' }),
};
const unreadable = new Problem({ status: 400, code: 'invalid_http', detail: 'This is no valid HTTP request.' });

/** Answers what never became a request, as Node's parser gave it up, in the form of all errors; the connection ends with it. */
export function answerClientError(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const problem = problems[error.code] ?? unreadable;
  const id = ids.make('req');
  const body = problem.toBody(id);
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${problem.status} ${String(body['title'])}`, 'content-type: application/problem+json; charset=utf-8', `content-length: ${Buffer.byteLength(text)}`, `x-request-id: ${id}`, 'connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${text}`);
  socket.destroySoon();
}
