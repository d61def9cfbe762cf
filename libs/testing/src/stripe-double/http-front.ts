import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Answer } from './idempotency.js';

export interface DoubleRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface DoubleReply extends Answer {
  readonly headers?: Readonly<Record<string, string>>;
}

/** `cut` drops the connection, `silent` never answers. */
export type Reaction = DoubleReply | 'cut' | 'silent';

const bodyBytesMax = 2 * 1024 * 1024;

/** Listens on a free port of the loopback. */
export async function listen(answer: (request: DoubleRequest) => Promise<Reaction>): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((incoming, outgoing) => {
    void serve(incoming, outgoing, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => closeServer(server) };
}

async function serve(incoming: IncomingMessage, outgoing: ServerResponse, answer: (request: DoubleRequest) => Promise<Reaction>): Promise<void> {
  try {
    const url = new URL(incoming.url ?? '/', 'http://double');
    const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
    const body = await readBody(incoming);
    const reaction = await answer({ method: incoming.method ?? 'GET', path: url.pathname, query: url.search.slice(1), body, headers });
    if (reaction === 'silent') return;
    if (reaction === 'cut') incoming.socket.destroy();
    else outgoing.writeHead(reaction.status, { 'content-type': 'application/json', ...reaction.headers }).end(JSON.stringify(reaction.body));
  } catch (error) {
    outgoing.writeHead(500, { 'content-type': 'text/plain' }).end(`The double failed: ${String(error)}`);
  }
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) throw new RangeError('The body is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
