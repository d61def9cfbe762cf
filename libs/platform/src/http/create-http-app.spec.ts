import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { Body, Controller, Get, Module, Param, Post, Query } from '@nestjs/common';
import { Registry } from 'prom-client';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { makeLogger } from '../logging/logger.js';
import { createHttpApp } from './create-http-app.js';
import { systemClock } from '../clock/clock.js';
import { DependencyChecks } from './dependency-checks.js';
import { operationalRoutes } from './operational-routes.js';
import { CurrentCall, Public, RequiredScope, type CallContext } from './principal.js';

const bodySchema = z.strictObject({ amount: z.string(), label: z.string(), inner: z.strictObject({ up_to: z.string().nullable() }).optional() });

const choiceSchema = z.strictObject({
  mode: z.enum(['a', 'b']), model: z.discriminatedUnion('type', [z.strictObject({ type: z.literal('x') }), z.strictObject({ type: z.literal('y') })]),
  names: z.record(z.string(), z.string()).optional(),
});
const querySchema = z.strictObject({ customer: z.string().optional() });

@Controller('/echo')
class EchoController {
  @Post()
  @Public()
  echo(@Body({ schema: bodySchema }) body: unknown): unknown {
    return body;
  }

  @Post('choice')
  @Public()
  choice(@Body({ schema: choiceSchema }) body: unknown): unknown {
    return body;
  }

  @Get('of/:id')
  @Public()
  one(@Param('id') id: string, @Query({ schema: querySchema }) query: unknown): unknown {
    return { id, query };
  }

  @Post('of/:id')
  @Public()
  change(@CurrentCall() { params }: CallContext): unknown {
    return params;
  }

  @Get('bug')
  @Public()
  bug(): never {
    throw new Error('A secret of the inside.');
  }

  @Get('open')
  undeclared(): string {
    return 'in';
  }

  @Get('scoped')
  @RequiredScope('usage:read')
  scoped(): string {
    return 'in';
  }
}

@Module({ controllers: [EchoController] })
class EchoModule {}

const failing = { now: false };
const app = await createHttpApp({
  module: EchoModule,
  logger: makeLogger({ name: 'test', level: 'silent' }),
  authenticator: { authenticate: async () => ({ organizationId: 'org_a', mode: 'test', credentialId: 'key_a', scopes: new Set() }) },
  decimalFields: new Set(['amount', 'up_to']),
  bodySizeMax: 1_000,
  routes: [
    operationalRoutes({
      metrics: new Registry(),
      checks: new DependencyChecks({
        postgres: async () => {
          if (failing.now) throw new Error('postgres://user:password@host is gone');
        },
      }, systemClock),
    }),
  ],
});
await app.listen(0, '127.0.0.1');
const origin = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
afterAll(() => app.close());

async function post(body: string | Uint8Array<ArrayBuffer>, type = 'application/json', { path = '/echo', headers = {} }: { path?: string; headers?: Record<string, string> } = {}) {
  const response = await fetch(origin + path, { method: 'POST', body, headers: { 'content-type': type, ...headers } });
  return { status: response.status, type: response.headers.get('content-type'), id: response.headers.get('x-request-id'), body: (await response.json()) as Record<string, unknown> };
}

describe('what never becomes a request', () => {
  it.each([
    [`GET /echo/of/${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431, 'headers_too_large'],
    ['NONE /echo HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'invalid_http'],
    ['POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400, 'invalid_http'],
    ['\u0016\u0003\u0001', 400, 'invalid_http'], // What TLS begins with.
  ])('is answered as every other error is, and the connection ends: %#', async (sent, status, code) => {
    const socket = connect(Number(new URL(origin).port), '127.0.0.1');
    socket.end(sent);
    const answer = await text(socket);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*content-type: application/problem\\+json`));
    expect(JSON.parse(body)).toMatchObject({ type: 'about:blank', status, code, request_id: expect.stringMatching(/^req_/) });
  });
});

describe('JSON bodies', () => {
  it.each([
    ['0.1', '0.1'],
    ['1.10', '1.1'],
    ['49', '49'],
    ['123456789012.123456789012345678', '123456789012.123456789012345678'], // No float holds these digits.
    ['1e-7', '0.0000001'],
    ['"12.50"', '12.50'], // Text stays as it was sent.
  ])('take the number %s by its digits', async (sent, taken) => {
    const { status, body } = await post(`{"amount": ${sent}, "label": "x", "inner": {"up_to": ${sent}}}`, 'application/json; charset=utf-8');
    expect([status, body]).toEqual([201, { amount: taken, label: 'x', inner: { up_to: taken } }]);
  });

  it('leave the numbers of other fields numbers, however they are written', async () => {
    for (const sent of ['1', '1e5', '12345678901234567890']) {
      const { status, body } = await post(`{"amount": 1, "label": ${sent}}`);
      expect([status, body['errors']]).toMatchObject([422, [{ pointer: '/label', code: 'invalid_type' }]]);
    }
  });

  it('name every fault with its pointer', async () => {
    const { status, type, id, body } = await post('{"amount": true, "inner": {"up_to": null, "a/b": 1}, "more": 1}');
    expect([status, type]).toEqual([422, 'application/problem+json; charset=utf-8']);
    expect(body).toMatchObject({ type: 'about:blank', title: 'Unprocessable Content', status: 422, code: 'invalid_request', request_id: id });
    expect((body['errors'] as { pointer: string; code: string }[]).map(({ pointer, code }) => `${pointer} ${code}`).toSorted()).toEqual(
      ['/amount invalid_type', '/inner/a~1b unknown_field', '/label missing_field', '/more unknown_field']);
  });

  it.each([
    ['{"amount": ', 'application/json', 400, 'invalid_json'],
    ['{"amount": 01}', 'application/json', 400, 'invalid_json'],
    ['', 'application/json', 422, 'invalid_request'],
    ['amount=1', 'application/x-www-form-urlencoded', 415, 'unsupported_media_type'],
    ['amount', 'text/plain', 415, 'unsupported_media_type'],
  ])('refuse %j of %s', async (body, type, status, code) => {
    const answer = await post(body, type);
    expect([answer.status, answer.body['code']]).toEqual([status, code]);
  });
});

describe('texts that can not be kept', () => {
  const faults = (body: Record<string, unknown>) => (body['errors'] as { pointer: string; code: string }[]).map(({ pointer, code }) => `${pointer} ${code}`);

  it('are named beside the other faults of a body, in names as well', async () => {
    const { status, body } = await post(String.raw`{"mode": "c", "model": {"type": "x"}, "names": {"a": "\u0000", "b\ud800": "1", "c": "\ud83d\ude00"}}`, 'application/json', { path: '/echo/choice' });
    expect([status, faults(body).toSorted()]).toEqual([422, ['/mode invalid_value', '/names/a invalid_string', '/names/b\ud800 invalid_string']]);
  });

  it('are names that a record would drop in silence, except in what an event says', async () => {
    const { status, body } = await post('{"mode": "a", "model": {"type": "x"}, "names": {"__proto__": "1", "data": {"__proto__": 1}}}', 'application/json', { path: '/echo/choice' });
    expect([status, faults(body)]).toEqual([422, ['/names/data invalid_type', '/names/__proto__ invalid_string']]);
  });

  it.each([
    ['/echo/of/a%00b', 404, 'not_found'],
    ['/echo/of/a?customer=%00', 422, 'invalid_request'],
    ['/echo/of/%F0%9F%98%80?customer=%F0%9F%98%80', 200, undefined],
  ])('in %s', async (path, status, code) => {
    const response = await fetch(origin + path);
    expect([response.status, ((await response.json()) as { code?: string }).code]).toEqual([status, code]);
  });

  it('name nothing in a path, however a route reads its path', async () => {
    const response = await fetch(`${origin}/echo/of/%00`, { method: 'POST' });
    expect([response.status, ((await response.json()) as { code?: string }).code]).toEqual([404, 'not_found']);
  });

  it('are refused where they are no UTF-8, instead of being replaced in silence', async () => {
    const bytes = new Uint8Array([...new TextEncoder().encode('{"amount": 1, "label": "'), 0xff, ...new TextEncoder().encode('"}')]);
    expect(await post(bytes)).toMatchObject({ status: 400, body: { code: 'invalid_utf8' } });
  });
});

it('takes members by the names of what every object has', async () => {
  const { status, body } = await post('{"mode": "a", "model": {"type": "x"}, "names": {"constructor": "1", "toString": "2"}}', 'application/json', { path: '/echo/choice' });
  expect([status, body['names']]).toEqual([201, { constructor: '1', toString: '2' }]);
  const refused = await post('{"mode": "a", "model": {"type": "x"}, "constructor": "1", "__proto__": {"mode": "b"}}', 'application/json', { path: '/echo/choice' });
  expect((refused.body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer).toSorted()).toEqual(['/__proto__', '/constructor']);
});

it('names a missing choice as missing', async () => {
  const { body } = await post('{"model": {}}', 'application/json', { path: '/echo/choice' });
  expect(body['errors']).toMatchObject([{ pointer: '/mode', code: 'missing_field' }, { pointer: '/model/type', code: 'missing_field' }]);
});

describe('bodies with Content-Encoding', () => {
  const send = (body: Uint8Array<ArrayBuffer>, encoding: string) => post(body, 'application/json', { headers: { 'content-encoding': encoding } });

  it('are inflated, up to the limit', async () => {
    const zip = (label: string) => new Uint8Array(gzipSync(JSON.stringify({ amount: '1', label })));
    expect(await send(zip('x'), 'gzip')).toMatchObject({ status: 201, body: { label: 'x' } });
    expect(await send(zip('x'.repeat(100_000)), 'gzip')).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
    expect(await send(zip('x').slice(0, -9), 'gzip')).toMatchObject({ status: 400, body: { code: 'invalid_gzip' } });
    expect(await send(zip('x'), 'br')).toMatchObject({ status: 415, body: { code: 'unsupported_encoding' } });
  });
});

it('refuses a body above its limit', async () => {
  const answer = await post(JSON.stringify({ label: 'x'.repeat(1_000) }));
  expect([answer.status, answer.body['code']]).toEqual([413, 'body_too_large']);
});

describe('routes', () => {
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(origin + path, { headers });
    return { status: response.status, text: await response.text() };
  };

  it('hide what went wrong inside', async () => {
    const { status, text } = await get('/echo/bug');
    expect([status, JSON.parse(text).code]).toEqual([500, 'internal_error']);
    expect(text).not.toContain('secret');
  });

  it('take the key from X-API-Key where there is no Authorization, or an empty one, and from the user of Basic', async () => {
    // Basic: "x:y" and ":y", whose user is none.
    const statuses = [
      { 'x-api-key': 'x' }, { 'x-api-key': 'x', authorization: '' }, { authorization: 'Basic eDp5' }, { 'x-api-key': 'x', authorization: 'Basic Onk=' }, { 'x-api-key': 'x', authorization: 'Digest x' }, { 'x-api-key': '' },
    ];
    expect(await Promise.all(statuses.map(async (headers) => (await get('/echo/scoped', headers as Record<string, string>)).status))).toEqual([403, 403, 403, 401, 401, 401]); // 403: known, without the scope.
  });

  it('let nobody in who has not the scope, or where none is declared', async () => {
    expect((await get('/echo/scoped')).status).toBe(401);
    expect((await get('/echo/scoped', { authorization: 'Bearer x' })).status).toBe(403);
    expect((await get('/echo/open', { authorization: 'Bearer x' })).status).toBe(403);
  });

  it('say whether the app lives and is ready, without saying why not', async () => {
    expect(await get('/healthz')).toMatchObject({ status: 200 });
    expect(await get('/readyz')).toEqual({ status: 200, text: '{"status":"ready","checks":{"postgres":"ok"}}' });
    failing.now = true;
    await expect.poll(() => get('/readyz'), { timeout: 10_000 }).toEqual({ status: 503, text: '{"status":"not_ready","checks":{"postgres":"failed"}}' });
    expect((await get('/metrics')).status).toBe(200);
  });
});
