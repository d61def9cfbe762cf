import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { makeLogger, systemClock } from '#platform';
import { createFront } from './create-front.js';
import { appNames, type AppName } from './route-table.js';
import { Upstreams } from './upstreams.js';

// Method: real servers stand for the apps; what they are asked and what the caller hears is compared.

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface Behind {
  readonly url: string;
  readonly server: Server;
  readonly stop: () => Promise<void>;
}

async function serve(listener: RequestListener, port = 0): Promise<Behind> {
  const server = createServer((request, reply) => {
    if (request.url === '/readyz') reply.end('{}');
    else listener(request, reply);
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((done) => server.close(done));
  };
  closing.push(stop);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, stop };
}

async function front(urls: Partial<Record<AppName, readonly string[]>>): Promise<string> {
  const upstreams = new Upstreams(Object.fromEntries(appNames.map((app) => [app, urls[app] ?? []])) as Record<AppName, readonly string[]>, systemClock);
  const app = createFront({ upstreams, logger: makeLogger({ name: 'front', level: 'silent' }) });
  await upstreams.start();
  closing.push(async () => {
    await app.close();
    await upstreams.stop();
  });
  return app.listen({ port: 0, host: '127.0.0.1' });
}

const textOf = async (request: IncomingMessage): Promise<string> => (await Array.fromAsync(request)).join('');

it('hands a request on as it came, and the answer back', async () => {
  const seen: { method?: string | undefined; url?: string | undefined; headers: IncomingMessage['headers']; body: string }[] = [];
  const app = await serve((request, reply) => void textOf(request).then((body) => {
    seen.push({ method: request.method, url: request.url, headers: request.headers, body });
    reply.writeHead(202, { 'content-type': 'application/json', 'x-request-id': 'req_app', 'tollway-version': '2026-11-01' }).end('{"accepted":1}');
  }));
  const origin = await front({ ingest: [app.url] });
  const body = '{"id": 1.10,  "ü": 1}';
  const answer = await fetch(`${origin}/v1/events?a=b%20c`, { method: 'POST', body, headers: { 'content-type': 'application/json', authorization: 'Bearer k', 'idempotency-key': 'x' } });
  expect([answer.status, answer.headers.get('x-request-id'), await answer.text()]).toEqual([202, 'req_app', '{"accepted":1}']);
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({ method: 'POST', url: '/v1/events?a=b%20c', body });
  expect(seen[0]?.headers).toMatchObject({ 'content-type': 'application/json', authorization: 'Bearer k', 'idempotency-key': 'x', host: new URL(origin).host, 'x-forwarded-for': '127.0.0.1' });
});

it('lets a body flow while it is still being sent', async () => {
  const app = await serve((request, reply) => {
    request.once('data', (chunk: Buffer) => {
      reply.writeHead(200);
      reply.write(`got ${chunk.toString()}`);
      request.resume().once('end', () => reply.end(' and its end'));
    });
  });
  const origin = await front({ ingest: [app.url] });
  const sending = httpRequest(`${origin}/v1/events`, { method: 'POST', headers: { 'content-type': 'text/plain', expect: '100-continue' } });
  sending.write('the first half');
  const [answer] = (await once(sending, 'response')) as [IncomingMessage];
  const [first] = (await once(answer, 'data')) as [Buffer];
  expect(first.toString()).toBe('got the first half'); // And the second was not sent yet.
  sending.end('the second');
  expect(await textOf(answer)).toBe(' and its end');
});

it('lets an answer flow for as long as the app sends, and tells the app when the reader has left', async () => {
  let left: () => void = () => undefined;
  const hasLeft = new Promise<void>((resolve) => (left = resolve));
  const app = await serve((_request, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream', connection: 'close' }).write('data: 1\n\n');
    reply.once('close', left);
  });
  const origin = await front({ aggregator: [app.url] });
  const reader = new AbortController();
  const answer = await fetch(`${origin}/v1/events/live`, { signal: reader.signal });
  const { value } = await (answer.body as ReadableStream<Uint8Array>).getReader().read();
  expect([answer.headers.get('content-type'), new TextDecoder().decode(value)]).toEqual(['text/event-stream', 'data: 1\n\n']);
  reader.abort();
  await hasLeft;
});

describe('an app that is away', () => {
  it('is answered for with 503, whatever was being sent', async () => {
    const app = await serve(() => undefined);
    const origin = await front({ ingest: [app.url] });
    await app.stop();
    for (const body of ['{}', 'x'.repeat(3_000_000)]) {
      const answer = await fetch(`${origin}/v1/events`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
      expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('content-type')]).toEqual([503, '1', 'application/problem+json; charset=utf-8']);
      expect(await answer.json()).toMatchObject({ code: 'app_unavailable', status: 503 });
    }
  });

  it('is used again once it answers', async () => {
    const app = await serve(() => undefined);
    const origin = await front({ aggregator: [app.url] });
    await app.stop();
    expect((await fetch(`${origin}/v1/events`)).status).toBe(503);
    await serve((_request, reply) => void reply.end('back'), Number(new URL(app.url).port));
    const deadline = performance.now() + 10_000;
    while ((await fetch(`${origin}/v1/events`)).status !== 200) expect(performance.now()).toBeLessThan(deadline);
  });

  it('that has two processes answers by the other one', async () => {
    const dying = await serve((request) => request.socket.destroy());
    const living = await serve((_request, reply) => void reply.end('here'));
    const origin = await front({ rating: [dying.url, living.url] });
    for (let nth = 0; nth < 6; nth += 1) expect(await (await fetch(`${origin}/v1/rated-usage`)).text()).toBe('here');
  });

  it('is not asked again by itself for what may have been done', async () => {
    let asked = 0;
    const dying = await serve((request) => {
      asked += 1;
      request.socket.destroy();
    });
    const origin = await front({ invoicing: [dying.url, dying.url] });
    expect((await fetch(`${origin}/v1/invoices/inv_1/void`, { method: 'POST' })).status).toBe(503);
    expect(asked).toBe(1);
  });
});

it('goes round the processes of an app', async () => {
  const counts = [0, 0];
  const apps = await Promise.all([0, 1].map((nth) => serve((_request, reply) => {
    counts[nth] = (counts[nth] ?? 0) + 1;
    reply.end();
  })));
  const origin = await front({ 'billing-api': apps.map(({ url }) => url) });
  for (let nth = 0; nth < 10; nth += 1) await fetch(`${origin}/v1/plans`);
  expect(counts).toEqual([5, 5]);
});

it('gives a refusal of a body that is too large while it is being sent', async () => {
  const app = await serve((request, reply) => {
    reply.writeHead(413, { 'content-type': 'application/problem+json' }).end('{"code":"body_too_large"}');
    request.resume();
  });
  const origin = await front({ ingest: [app.url] });
  const answer = await fetch(`${origin}/v1/events`, { method: 'POST', body: 'x'.repeat(5_000_000) });
  expect([answer.status, await answer.json()]).toEqual([413, { code: 'body_too_large' }]);
});

it('is ready when each app has a process that is', async () => {
  const app = await serve((_request, reply) => void reply.end());
  const all = Object.fromEntries(appNames.map((name) => [name, [app.url]]));
  expect((await fetch(`${await front(all)}/readyz`)).status).toBe(200);
  const lacking = await fetch(`${await front({ ...all, rating: [] })}/readyz`);
  expect([lacking.status, await lacking.json()]).toEqual([503, { status: 'not_ready', checks: { ingest: 'ok', aggregator: 'ok', rating: 'failed', invoicing: 'ok', 'billing-api': 'ok' } }]);
});

it('knows no other routes', async () => {
  const origin = await front({});
  for (const path of ['/', '/v2/events', '/v1']) {
    const answer = await fetch(origin + path);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([404, 'not_found']);
  }
  expect((await fetch(`${origin}/healthz`)).status).toBe(200);
  expect(await (await fetch(`${origin}/metrics`)).text()).toContain('tollway_front_ready_processes{app="rating"} 0');
});
