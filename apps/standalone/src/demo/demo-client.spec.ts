import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { DemoClient } from './demo-client.js';

/** Ports that fetch refuses; one of them is free. */
const refusedPorts = [4190, 6566, 6665, 6697, 10080];

let server: Server | undefined;
afterEach(() => server?.close());

async function listenOnRefusedPort(handle: (body: string) => { status: number; answer: string }): Promise<string> {
  for (const port of refusedPorts) {
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const { status, answer } = handle(body);
        response.writeHead(status).end(answer);
      });
    });
    server.listen(port, '127.0.0.1');
    const isListening = await once(server, 'listening').then(() => true, () => false);
    if (isListening) return `http://127.0.0.1:${port}`;
  }
  throw new Error('None of the ports is free.');
}

describe('DemoClient', () => {
  it('posts to a port that fetch refuses', async () => {
    const bodies: string[] = [];
    const url = await listenOnRefusedPort((body) => {
      bodies.push(body);
      return { status: 201, answer: '{}' };
    });
    await expect(fetch(url)).rejects.toThrow('fetch failed');
    await new DemoClient({ url, key: 'k', signal: new AbortController().signal }).post('/v1/x', { name: 'Zoë' });
    expect(bodies).toEqual(['{"name":"Zoë"}']);
  });

  it('says what was answered where it was refused, and stops where it is told to', async () => {
    const url = await listenOnRefusedPort(() => ({ status: 422, answer: 'no' }));
    await expect(new DemoClient({ url, key: 'k', signal: new AbortController().signal }).post('/v1/x', {})).rejects.toThrow('/v1/x answered 422: no');
    await expect(new DemoClient({ url, key: 'k', signal: AbortSignal.abort() }).post('/v1/x', {})).rejects.toThrow('abort');
  });
});
