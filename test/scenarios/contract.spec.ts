import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '#testing';
import { eventually, Product, testKey, type CallOptions } from './product.js';

// Goal: the public contract, claim by claim, as a stranger finds it over HTTP. Method: one running product, an organization
// for each group of claims; amounts and counts are worked out here, by hand or in whole numbers, never by the product.

interface Listed {
  readonly data: readonly Record<string, unknown>[];
  readonly has_more: boolean;
}

interface Invoice {
  readonly id: string;
  readonly number: string | null;
  readonly status: string;
  readonly total: string;
  readonly period: { readonly start: string; readonly end: string };
  readonly lines: readonly { readonly kind: string; readonly price_key: string | null; readonly quantity: string; readonly amount: string; readonly group: Readonly<Record<string, string>> }[];
}

interface Refused {
  readonly code: string;
  readonly errors?: readonly { readonly pointer: string; readonly code: string }[];
  readonly state?: string;
  readonly allowed_actions?: readonly string[];
}

describeWith('clickhouse', 'the public contract', () => {
  let product: Product;
  beforeAll(async () => {
    product = await Product.start();
  }, 120_000);
  afterAll(async () => {
    await product?.dispose();
  }, 90_000);

  /** An organization of one's own, and calls in its name. */
  async function organization(mode: 'test' | 'live' = 'test') {
    const made = await product.expect<{ organization: { id: string }; api_key: { secret: string } }>(201, 'POST /v1/organizations', { body: { name: 'A stranger', mode } });
    const key = made.api_key.secret;
    return {
      id: made.organization.id,
      key,
      call: <Body = Refused>(route: string, options: CallOptions = {}) => product.call<Body>(route, { key, ...options }),
      ok: <Body = Record<string, unknown>>(route: string, body?: unknown, status = route.startsWith('GET') ? 200 : 201) =>
        product.expect<Body>(status, route, { key, ...(body === undefined ? {} : { body }) }),
      advance: (to: string) => product.expect(200, 'POST /v1/test-clock/advance', { key, body: { to } }),
      invoices: async (customer: string) => (await product.expect<{ data: Invoice[] }>(200, `GET /v1/invoices?customer=${customer}&limit=100`, { key })).data.toReversed(),
    };
  }
  type Organization = Awaited<ReturnType<typeof organization>>;

  const flat = (key: string, amount: string, more: object = {}) => ({ key, name: key, type: 'recurring', model: { type: 'flat', amount }, ...more });
  const plan = (key: string, prices: readonly object[], currency = 'USD') => ({ key, name: key, currency, billing_period: 'P1M', prices });
  const faultsOf = ({ errors = [] }: Refused) => errors.map(({ pointer, code }) => `${pointer} ${code}`).toSorted();

  describe('conventions', () => {
    let one: Organization;
    beforeAll(async () => {
      one = await organization();
    });

    it('let in who has a key, as a bearer token or in X-API-Key, and nobody else', async () => {
      const statuses = await Promise.all([
        { authorization: `Bearer ${one.key}` }, { authorization: '', 'x-api-key': one.key }, { authorization: '' }, { authorization: 'Bearer tw_test_of_nobody_at_all_01234' }, { authorization: `Basic ${one.key}` },
      ].flatMap((headers) => ['GET /v1/meters', 'GET /v1/events', 'GET /v1/invoices'].map(async (route) => (await one.call(route, { headers })).status)));
      expect(statuses).toEqual([200, 200, 200, 200, 200, 200, ...Array.from({ length: 9 }, () => 401)]);
      const { secret } = await one.ok<{ secret: string }>('POST /v1/api-keys', { name: 'reads', scopes: ['catalog:read'] });
      expect([(await one.call('GET /v1/meters', { key: secret })).status, (await one.call('POST /v1/meters', { key: secret, body: {} })).status]).toEqual([200, 403]);
    });

    it.each<[string, CallOptions, number, string]>([
      ['POST /v1/products', { raw: { type: 'application/json', body: '{"key": ' } }, 400, 'invalid_json'],
      ['POST /v1/products', { raw: { type: 'application/json', body: new Uint8Array([0x22, 0xff, 0x22]) } }, 400, 'invalid_utf8'],
      ['POST /v1/products', { raw: { type: 'text/plain', body: 'key' } }, 415, 'unsupported_media_type'],
      ['POST /v1/products', { raw: { type: 'application/json', body: 'x' }, headers: { 'content-encoding': 'br' } }, 415, 'unsupported_encoding'],
      ['POST /v1/products', { raw: { type: 'application/json', body: `"${'x'.repeat(2_000_000)}"` } }, 413, 'body_too_large'],
      ['POST /v1/events', { raw: { type: 'application/json', body: gzipSync(Buffer.alloc(20_000_000, ' ')) }, headers: { 'content-encoding': 'gzip' } }, 413, 'body_too_large'],
      ['POST /v1/events', { body: Array.from({ length: 10_001 }, () => ({})) }, 413, 'too_many_events'],
      ['GET /v1/nothing', {}, 404, 'not_found'],
      ['GET /v1/products/none', {}, 404, 'not_found'],
      ['GET /v1/customers/%00', {}, 404, 'not_found'],
      ['POST /v1/subscriptions/%00/cancel', { body: { when: 'now' } }, 404, 'not_found'],
      ['GET /v1/invoices?starting_after=%00', {}, 422, 'invalid_request'],
      ['GET /v1/meters', { headers: { 'tollway-version': 'soon' } }, 400, 'invalid_version'],
      ['GET /v1/products?limit=0', {}, 422, 'invalid_request'],
    ])('%s answers a problem', async (route, options, status, code) => {
      const answer = await one.call<Record<string, unknown>>(route, options);
      expect([answer.status, answer.headers.get('content-type')?.split(';')[0], answer.body['code']]).toEqual([status, 'application/problem+json', code]);
      expect(Object.keys(answer.body)).toEqual(expect.arrayContaining(['type', 'title', 'status', 'detail', 'code', 'request_id']));
    });

    it('name every fault at once', async () => {
      const { status, body } = await one.call('POST /v1/meters', { body: { key: '-', name: 5, event_type: '\u0000', group_by: { 'a b': 1 }, constructor: 1, more: 1 } });
      expect([status, faultsOf(body)]).toEqual([422, [
        '/aggregation missing_field', '/constructor unknown_field', '/event_type invalid_string', '/group_by/a b invalid_type', '/key invalid_format', '/more unknown_field', '/name invalid_type']]);
      const references = await one.call('POST /v1/plans', { body: { ...plan('x', [{ key: 'u', name: 'u', type: 'usage', meter: 'none', model: { type: 'per_unit', unit_amount: '1' } }]), product: 'none' } });
      expect([references.status, faultsOf(references.body)]).toEqual([422, ['/prices/0/meter unknown_meter', '/product unknown_product']]);
    });

    it('know objects by id and by key, replace them by key, and page through them by either', async () => {
      const made = await one.ok<{ id: string }>('POST /v1/products', { key: 'maps', name: 'Maps' });
      expect(await one.ok('GET /v1/products/maps')).toEqual(await one.ok(`GET /v1/products/${made.id}`));
      expect((await one.call('POST /v1/products', { body: { key: 'maps', name: 'Maps' } })).body.code).toBe('key_taken');
      expect(await one.ok('PUT /v1/products/maps', { name: 'Maps 2' }, 200)).toMatchObject({ id: made.id, name: 'Maps 2' });
      for (const key of ['routes', 'tiles', 'places']) await one.ok(`PUT /v1/products/${key}`, { name: key });
      const keysOf = async (query: string) => {
        const page = await one.ok<Listed>(`GET /v1/products?${query}`);
        return [page.data.map(({ key }) => key as string), page.has_more];
      };
      expect(await keysOf('limit=3')).toEqual([['places', 'tiles', 'routes'], true]);
      expect(await keysOf('limit=3&starting_after=routes')).toEqual([['maps'], false]);
      expect(await keysOf(`limit=2&ending_before=${made.id}`)).toEqual([['tiles', 'routes'], true]);
      expect(await keysOf('starting_after=none')).toEqual([[], false]);
    });

    it('run a POST with an Idempotency-Key once', async () => {
      const post = (key: string, options: CallOptions & { path?: string; name?: string } = {}) =>
        one.call<Record<string, unknown>>(`POST ${options.path ?? '/v1/features'}`, { body: { key: options.name ?? 'geo', name: 'Geo' }, headers: { 'idempotency-key': key }, ...(options.key === undefined ? {} : { key: options.key }) });
      const first = await post('k1');
      const again = await post('"k1"');
      expect([first.status, first.headers.get('idempotency-replayed'), again.status, again.headers.get('idempotency-replayed'), again.body]).toEqual([201, null, 201, 'true', first.body]);
      expect(await post('k1', { name: 'other' })).toMatchObject({ status: 409, body: { code: 'idempotency_conflict' } });
      expect((await post('k1', { path: '/v1/products' })).headers.get('idempotency-replayed')).toBeNull(); // Another path is another key.
      expect((await post('k1', { key: testKey })).headers.get('idempotency-replayed')).toBeNull(); // As is another credential.
      expect((await post('x'.repeat(256))).status).toBe(400);
      const refused = [await post('k2'), await post('k2')];
      expect(refused.map(({ status, headers }) => [status, headers.get('idempotency-replayed')])).toEqual([[409, null], [409, 'true']]);
      const racing = await Promise.all(Array.from({ length: 8 }, () => post('k3', { name: 'race' })));
      const made = racing.filter(({ status }) => status === 201);
      expect(new Set(made.map(({ body }) => body['id'])).size).toBe(1);
      expect(racing.filter(({ status }) => status !== 201).every(({ body }) => body['code'] === 'idempotency_in_progress')).toBe(true);
    });
  });

  it('never fails for what it is sent', async () => {
    const one = await organization();
    await one.ok('POST /v1/meters', { key: 'm', name: 'm', event_type: 't', aggregation: 'count' });
    interface Operation {
      readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
    }
    const { paths } = await one.ok<{ paths: Record<string, Record<string, Operation>> }>('GET /openapi.json');
    // Clients of other systems are answered as those would answer them.
    const speaksForeign = (path: string): boolean => /^\/(v2|api|v1\/billing|v1\/logs|v1\/ingest\/aws-api-gateway)(\/|$)/.test(path);
    const streams = ({ responses }: Operation): boolean => Object.values(responses).some(({ content = {} }) => 'text/event-stream' in content);
    const hostile: unknown[] = [null, true, -1, 1e308, '', '\u0000', '\ud800', 'x'.repeat(5_000), [], {}, [null], { __proto__: null, a: { b: [] } }, '2026-02-30T00:00:00Z', '+275760-09-13T00:00:00Z', 'P99999999999D', '1e999999999', "' or 1=1 --"];
    const words = ['m', '%00', '%F0%9F%98%80', '..', 'x'.repeat(500), 'plan_x', "'", '%25'];
    let turn = 0;
    const next = <T>(values: readonly T[]): T => values[(turn += 1) % values.length] as T;
    const wrong: string[] = [];
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method] of Object.entries(operations).filter(([name, operation]) => ['get', 'post', 'put', 'patch'].includes(name) && !streams(operation))) {
        for (let round = 0; round < 4; round += 1) {
          const url = path.replaceAll(/\{\w+\}/g, () => next(words));
          const query = method === 'get' ? `?${['limit', 'starting_after', 'customer', 'from', 'to', 'group_by', 'filter[a]'].map((name) => `${name}=${encodeURIComponent((JSON.stringify(next(hostile)) ?? '').replaceAll(/^"|"$/g, ''))}`).slice(0, round * 2).join('&')}` : '';
          const fields = ['key', 'name', 'prices', 'customer', 'plan', 'start_at', 'quantity', 'price', 'currency', 'subject', 'events', 'to', 'when', 'metadata'];
          const body = method === 'get' ? {} : { body: round === 0 ? next(hostile) : Object.fromEntries(fields.map((name) => [name, next(hostile)])) };
          const { status, body: answer } = await one.call<{ status?: number }>(`${method.toUpperCase()} ${url}${query}`, body);
          if (status >= 500 || (status >= 400 && answer.status !== status && !speaksForeign(path))) wrong.push(`${method} ${url}${query} ${JSON.stringify(body)} → ${status}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  }, 120_000);

  describe('events', () => {
    let one: Organization;
    beforeAll(async () => {
      one = await organization();
      await one.ok('POST /v1/meters', { key: 'all', name: 'all', event_type: 't', aggregation: 'count' });
    });
    const post = (body: string | Uint8Array, type = 'application/json', headers: Record<string, string> = {}) =>
      one.call<{ accepted: number; rejected: { index: number; code: string }[] }>('POST /v1/events', { raw: { type, body }, headers });

    it('come in every form', async () => {
      let made = 0;
      const event = (more: object = {}) => ({ id: `form-${(made += 1)}`, type: 't', subject: 's', ...more });
      const cloud = () => event({ specversion: '1.0', source: 'ce', data: { a: 1 } });
      const sent: [string, string | Uint8Array, Record<string, string>, number][] = [
        ['application/json', JSON.stringify(event()), {}, 1],
        ['application/json; charset=utf-8', JSON.stringify([event(), event()]), {}, 2],
        ['application/json', gzipSync(JSON.stringify({ events: [event(), event()] })), { 'content-encoding': 'gzip' }, 2],
        ['application/x-ndjson', `${JSON.stringify(event())}\r\n${JSON.stringify(event())}\n\n`, {}, 2],
        ['application/cloudevents+json', JSON.stringify(cloud()), {}, 1],
        ['application/cloudevents-batch+json; charset=utf-8', JSON.stringify([cloud(), cloud()]), {}, 2],
        ['application/json', '{"a": 1}', { 'ce-specversion': '1.0', 'ce-id': 'binary', 'ce-source': 'ce', 'ce-type': 't', 'ce-subject': 'Euro%20%E2%82%AC' }, 1],
        ['application/json', '[]', {}, 0],
      ];
      for (const [type, body, headers, accepted] of sent) expect(await post(body, type, headers), type).toMatchObject({ status: 202, body: { accepted, rejected: [] } });
      await eventually('the binary one is there', async () => (await one.ok<Listed>('GET /v1/events?id=binary')).data.length === 1);
      expect((await one.ok<Listed>('GET /v1/events?id=binary')).data).toMatchObject([{ source: 'ce', subject: 'Euro €', data: { a: 1 }, state: 'counted', meters: ['all'] }]);
    });

    it.each<[string, object | string | null]>([
      ['missing_field', { type: 't', subject: 's' }], ['invalid_type', { id: 5 }], ['invalid_type', null], ['invalid_type', { data: [] }], ['invalid_type', { time: 5 }],
      ['invalid_string', { subject: 'a\u0000' }], ['invalid_string', { type: '\ud800' }], ['too_long', { subject: 'é'.repeat(129) }], ['too_large', { data: { a: 'x'.repeat(66_000) } }],
      ['invalid_time', { time: '1999-12-31T23:59:59.999Z' }], ['invalid_time', { time: '2026-10-01T10:00:60Z' }], ['invalid_time', { time: '2026-10-01T10:00:00' }], ['invalid_time', { time: '2199-01-01T00:00:00Z' }],
      ['too_deep', { data: { a: { a: { a: { a: { a: { a: { a: { a: { a: { a: {} } } } } } } } } } } }],
    ])('with %s are refused one by one, %j', async (code, bad) => {
      const faulty = bad === null || 'type' in (bad as object) && !('id' in (bad as object)) && 'subject' in (bad as object) ? bad : { id: 'bad', type: 't', subject: 's', ...(bad as object) };
      const answer = await post(JSON.stringify([faulty, { id: 'good', type: 't', subject: 's' }]));
      expect([answer.status, answer.body.accepted, answer.body.rejected]).toMatchObject([202, 1, [{ index: 0, code }]]);
      expect(await post(JSON.stringify([faulty]))).toMatchObject({ status: 422, body: { accepted: 0, rejected: [{ code }] } });
    });

    // [first, second, what the second is]; data, client's time.
    it.each([
      ['{"n":1.10,"b":2}', '{"b":2.0,"n":1.1}', 'duplicate'], ['{"n":100}', '{"n":1e2}', 'duplicate'], ['{"n":0}', '{"n":-0.0}', 'duplicate'], ['{"a":"é"}', '{"a":"\\u00e9"}', 'duplicate'],
      ['{"n":1.1}', '{"n":"1.1"}', 'conflict'], ['{"n":null}', '{}', 'conflict'], ['{"n":9007199254740993}', '{"n":9007199254740992}', 'conflict'], ['{"a":[1,2]}', '{"a":[2,1]}', 'conflict'],
      ['{}', '{}', 'conflict', '2026-11-01T00:00:00.000001Z'], ['{}', '{}', 'duplicate', '2026-11-01T01:00:00.0000009+01:00'],
    ])('%s and then %s are one identity: %s', async (first, second, verdict, time = '2026-11-01T00:00:00Z') => {
      const id = `pair ${first} ${second} ${time}`;
      const text = (data: string, at: string) => `{"id": ${JSON.stringify(id)}, "type": "t", "subject": "s", "time": "${at}", "data": ${data}}`;
      expect((await post(`[${text(first, '2026-11-01T00:00:00Z')}]`)).status).toBe(202);
      expect((await post(text(second, time))).status).toBe(202);
      const states = async () => (await one.ok<Listed>(`GET /v1/events?id=${encodeURIComponent(id)}`)).data.map(({ state }) => state as string);
      await eventually('both are there', async () => (await states()).length === 2);
      expect((await states()).toSorted()).toEqual(['counted', verdict].toSorted());
    });
  });

  describe('usage', () => {
    // Berlin's summer time begins on 28 March at 01:00Z: that day has 23 hours.
    const begin = Temporal.Instant.from('2027-03-27T00:00:00Z');
    const events = Array.from({ length: 200 }, (_, index) => ({
      id: `e${index}`, type: 'api', subject: `s${index % 3}`, at: begin.add({ minutes: (index * 37) % 4_320 }), value: (BigInt(index * 7919) % 1_000n) - 100n, route: ['/a', '/b', null][index % 4] ?? null,
    }));
    const hundredths = (value: bigint) => `${value < 0n ? '-' : ''}${(value < 0n ? -value : value) / 100n}.${String((value < 0n ? -value : value) % 100n).padStart(2, '0')}`;
    const shortest = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
    let one: Organization;
    beforeAll(async () => {
      one = await organization();
      await one.ok('POST /v1/test-clock', { now: '2027-04-01T00:00:00Z' }, 200);
      for (const aggregation of ['count', 'sum', 'min', 'max', 'avg', 'unique_count', 'latest']) {
        await one.ok('POST /v1/meters', { key: aggregation, name: aggregation, event_type: 'api', aggregation, ...(aggregation === 'count' ? {} : { value: '$.n' }), group_by: { route: '$.route' } });
      }
      const body = `[${events.map(({ id, subject, at, value, route }) => `{"id":"${id}","type":"api","subject":"${subject}","time":"${at.toString()}","data":{"n":${hundredths(value)},"route":${JSON.stringify(route)}}}`).join(',')}]`;
      for (let copy = 0; copy < 2; copy += 1) expect((await one.call('POST /v1/events', { raw: { type: 'application/json', body } })).status).toBe(202);
      await eventually('all is counted', async () => (await ask('count', '')).some(({ value }) => value === '200'));
    });

    interface Row { readonly window_start: string; readonly window_end: string; readonly group: Record<string, string>; readonly subject?: string; readonly value: string }
    const ask = async (meter: string, query: string) =>
      (await one.ok<{ data: Row[] }>(`GET /v1/meters/${meter}/usage?from=2027-03-27T00:00:00Z&to=2027-03-30T00:00:00Z${query}`)).data;

    const aggregates: Record<string, (values: readonly (typeof events)[number][]) => string> = {
      count: (found) => String(found.length),
      sum: (found) => shortest(hundredths(found.reduce((sum, { value }) => sum + value, 0n))),
      min: (found) => shortest(hundredths(found.map(({ value }) => value).reduce((a, b) => (a < b ? a : b)))),
      max: (found) => shortest(hundredths(found.map(({ value }) => value).reduce((a, b) => (a > b ? a : b)))),
      unique_count: (found) => String(new Set(found.map(({ value }) => value)).size),
      latest: (found) => shortest(hundredths((found.toSorted((a, b) => Temporal.Instant.compare(b.at, a.at))[0] as (typeof events)[number]).value)),
    };

    it.each(Object.keys(aggregates))('is exact by %s, in local days of 24, 23 and 24 hours, and by group', async (meter) => {
      const days = [['2027-03-27T00:00:00Z', '2027-03-27T23:00:00Z'], ['2027-03-27T23:00:00Z', '2027-03-28T22:00:00Z'], ['2027-03-28T22:00:00Z', '2027-03-29T22:00:00Z'], ['2027-03-29T22:00:00Z', '2027-03-30T00:00:00Z']];
      const expected = days.flatMap(([from = '', to = '']) => ['', '/a', '/b'].flatMap((route) => {
        const found = events.filter(({ at, route: own }) => at.toString() >= from && at.toString() < to && (own ?? '') === route);
        return found.length === 0 ? [] : [{ window_start: from, window_end: to, group: { route }, value: aggregates[meter]?.(found) }];
      }));
      expect(await ask(meter, '&window=day&time_zone=Europe/Berlin&group_by=route')).toEqual(expected);
    });

    it('averages to twelve digits', async () => {
      const [row] = await ask('avg', '');
      const scaled = (events.reduce((sum, { value }) => sum + value, 0n) * 10n ** 10n) / 200n; // Hundredths × 10^10 = 10^12.
      expect(row?.value).toBe(shortest(`${scaled / 10n ** 12n}.${String(scaled % 10n ** 12n).padStart(12, '0')}`));
    });

    it('aligns hours to half-hour zones, filters, and fills with zero where asked', async () => {
      const hours = await ask('count', '&window=hour&time_zone=Asia/Kolkata&fill=zero&subject=s1&filter[route]=/a');
      expect([hours.length, hours[0]?.window_end, hours[1]?.window_end]).toEqual([73, '2027-03-27T00:30:00Z', '2027-03-27T01:30:00Z']);
      const expected = events.filter(({ subject, route }) => subject === 's1' && route === '/a').length;
      expect(hours.reduce((sum, { value }) => sum + Number(value), 0)).toBe(expected);
    });

    it.each([
      ['from=2027-03-27T00:00:00Z', '/to missing_field'], ['from=2027-03-27T00:00:00Z&to=2027-03-27T00:00:00Z', '/to invalid_range'],
      ['from=2027-03-27T00:00:00Z&to=2027-03-28T00:00:00Z&group_by=color', '/group_by unknown_dimension'], ['from=2027-03-27T00:00:00Z&to=2027-03-28T00:00:00Z&filter[__proto__]=1', '/filter[__proto__] unknown_dimension'],
    ])('refuses %s', async (query, fault) => {
      const { status, body } = await one.call(`GET /v1/meters/count/usage?${query}`);
      expect([status, faultsOf(body)]).toEqual([422, [fault]]);
    });

    it('lists the events of a customer who had the subject in other months only', async () => {
      for (const key of ['early', 'late']) await one.ok('POST /v1/customers', { key, name: key });
      await one.ok('POST /v1/customers/early/subjects', { subject: 's0' });
      expect(await one.call('POST /v1/customers/late/subjects', { body: { subject: 's0' } })).toMatchObject({ status: 409, body: { code: 'subject_taken' } });
      await one.ok('POST /v1/customers/late/subjects', { subject: 's0', effective_at: '2027-03-31T00:00:00Z' });
      expect((await one.ok<Listed>('GET /v1/events?customer=late')).data).toEqual([]);
      const copies = (await one.ok<Listed>('GET /v1/events?customer=early&limit=100&from=2027-03-28T00:00:00Z')).data;
      const expected = events.filter(({ subject, at }) => subject === 's0' && at.toString() >= '2027-03-28');
      expect(copies.filter(({ state }) => state === 'counted').map(({ id }) => id).toSorted()).toEqual(expected.map(({ id }) => id).toSorted());
      expect(copies).toHaveLength(2 * expected.length); // Each was sent twice.
    });
  });

  describe('a price', () => {
    const graduated = { type: 'graduated', tiers: [{ up_to: '1000', unit_amount: '0.01', flat_amount: '3' }, { up_to: null, unit_amount: '0.005', flat_amount: '2' }] };
    const volume = { type: 'volume', tiers: [{ up_to: '100', unit_amount: '2', flat_amount: '10' }, { up_to: null, unit_amount: '1' }] };
    const perUnit = (unit: string | number) => ({ type: 'per_unit', unit_amount: unit });
    const packages = { type: 'package', package_size: '1000', package_amount: '5' };
    it.each<[string, object, string, string, object?]>([
      ['0', graduated, 'USD', '3.00'], ['1000', graduated, 'USD', '13.00'], // 3 + 10
      ['1000.0001', graduated, 'USD', '15.00'], // 3 + 10 + 2 + 0.0000005
      ['100', volume, 'USD', '210.00'], ['100.5', volume, 'USD', '100.50'],
      ['0', packages, 'USD', '0.00'], ['0.0001', packages, 'USD', '5.00'], ['1000', packages, 'USD', '5.00'], ['1001', packages, 'USD', '10.00'],
      ['1', perUnit('0.005'), 'USD', '0.01'], ['1', perUnit('12.5'), 'JPY', '13'], ['1', perUnit(1.2295), 'BHD', '1.230'], // Half away from zero.
      ['-5', perUnit('1'), 'USD', '0.00'],
      ['12345678901234567890', perUnit('0.000000000000000001'), 'USD', '12.35'],
      ['2500', perUnit('1'), 'USD', '2.00', { unit_conversion: { divide_by: '1000', rounding: 'up' }, included_units: '1' }], // 2.5 → 3 − 1
      ['2500', perUnit('1'), 'USD', '1.50', { unit_conversion: { divide_by: '1000', rounding: 'none' }, included_units: '1' }],
      ['1000', perUnit('1'), 'USD', '40.00', { maximum_amount: '40', minimum_amount: '7' }], ['1', perUnit('1'), 'USD', '7.00', { maximum_amount: '40', minimum_amount: '7' }],
    ])('of %s by %j in %s is %s', async (quantity, model, currency, amount, more = {}) => {
      const answer = await product.call<{ amount: string }>('POST /v1/pricing/simulate', { body: { price: { key: 'p', name: 'p', type: 'usage', model, ...more }, currency, quantity } });
      expect([answer.status, answer.body.amount]).toEqual([200, amount]);
    });
  });

  it('bills periods from the 31st, stubs, trials and rated days to the cent', async () => {
    const one = await organization();
    await one.ok('POST /v1/test-clock', { now: '2027-01-31T12:00:00Z' }, 200);
    await one.ok('POST /v1/meters', { key: 'units', name: 'units', event_type: 'u', aggregation: 'sum', value: '$.n' });
    const usage = { key: 'units', name: 'Units', type: 'usage', meter: 'units', included_units: '10', model: { type: 'volume', tiers: [{ up_to: '100', unit_amount: '0.50' }, { up_to: null, unit_amount: '0.25' }] } };
    await one.ok('POST /v1/plans', plan('month', [flat('base', '31.00'), usage]));
    await one.ok('POST /v1/plans', plan('yen', [flat('base', '100.5', { pay: 'in_arrears' })], 'JPY'));
    for (const [key, currency] of [['last', 'USD'], ['stub', 'USD'], ['trial', 'USD'], ['yen', 'JPY']]) await one.ok('POST /v1/customers', { key, name: key, currency, subjects: [`${key}-key`] });
    await one.ok('POST /v1/subscriptions', { customer: 'last', plan: 'month' });
    await one.ok('POST /v1/subscriptions', { customer: 'yen', plan: 'yen' });
    await one.ok('POST /v1/subscriptions', { customer: 'trial', plan: 'month', trial_days: 14 });
    // From 1 February to the anchor on the 8th: 7 of the 31 days since 8 January: 31.00 × 7/31 = 7.00.
    await one.ok('POST /v1/subscriptions', { customer: 'stub', plan: 'month', start_at: '2027-02-01T00:00:00Z', billing_anchor: '2027-02-08T00:00:00Z' });
    await one.advance('2027-02-10T00:00:00Z');
    const send = (customer: string, ...days: [string, string][]) =>
      one.ok('POST /v1/events', days.map(([time, n]) => ({ id: `${customer} ${time}`, type: 'u', subject: `${customer}-key`, time, data: { n } })), 202);
    // 1: 60.5 − 10 = 50.5 × 0.50 = 25.25; 2: 110.5 − 10 = 100.5 × 0.25 = 25.125 → 25.13, which is 0.12 less than nothing more: −0.12.
    await send('last', ['2027-02-01T00:00:00Z', '60.5'], ['2027-02-02T00:00:00Z', '50']);
    await send('trial', ['2027-02-03T00:00:00Z', '1000']);
    await one.advance('2027-02-10T00:00:01Z');
    const upcoming = await one.ok<Pick<Invoice, 'total' | 'lines'>>('GET /v1/customers/last/upcoming-invoice');
    expect([upcoming.total, upcoming.lines.map(({ amount }) => amount)]).toEqual(['56.13', ['25.13', '31.00']]); // At once, since the clock waited for the events.
    await one.advance('2027-03-31T14:00:00Z');

    const lines = async (customer: string) => (await one.invoices(customer)).map(({ status, lines: own, period, total }) =>
      [status, period.start.slice(0, 10), own.map(({ kind, amount }) => `${kind} ${amount}`).join(', '), total]);
    expect(await lines('last')).toEqual([
      ['paid', '2027-01-31', 'advance 31.00', '31.00'],
      ['paid', '2027-01-31', 'usage 25.13, advance 31.00', '56.13'], // Until 28 February, the month's last day …
      ['paid', '2027-02-28', 'usage 0.00, advance 31.00', '31.00'], // … and from there to the 31st again.
    ]);
    expect((await one.invoices('last')).at(-1)?.period.end).toBe('2027-03-31T12:00:00Z');
    expect(await lines('yen')).toEqual([['paid', '2027-01-31', 'arrears 101', '101'], ['paid', '2027-02-28', 'arrears 101', '101']]);
    expect((await lines('stub')).slice(0, 2)).toEqual([['paid', '2027-02-01', 'advance 7.00', '7.00'], ['paid', '2027-02-01', 'usage 0.00, advance 31.00', '31.00']]);
    // The trial ends on 14 February: its usage stands nowhere.
    expect(await lines('trial')).toEqual([['paid', '2027-02-14', 'advance 31.00', '31.00'], ['paid', '2027-02-14', 'usage 0.00, advance 31.00', '31.00']]);
    const numbers = (await one.ok<{ data: Invoice[] }>('GET /v1/invoices?limit=100')).data.map(({ number }) => number).toSorted();
    expect(numbers).toEqual(numbers.map((_, index) => `INV-${String(index + 1).padStart(6, '0')}`));

    const report = 'GET /v1/rated-usage?from=2027-01-01T00:00:00Z&to=2027-02-28T00:00:00Z&customer=last&price=units&group_by=price,day';
    const rated = await one.ok<{ data: { day: string; quantity: string; amount: string; state: string }[]; total: unknown }>(report);
    expect(rated.data.filter(({ quantity }) => quantity !== '0')).toMatchObject([
      { day: '2027-02-01', quantity: '60.5', amount: '25.25', state: 'closed' }, { day: '2027-02-02', quantity: '50', amount: '-0.12', state: 'closed' }]);
    expect(rated.total).toEqual({ USD: '25.13' });
    const sums = await one.ok<{ data: { quantity: string }[] }>(report.replace('price,day', 'price'));
    expect(sums.data.map(({ quantity }) => quantity)).toEqual(['110.5']);
    const csv = await one.call<string>(report, { headers: { accept: 'text/csv' } });
    expect([csv.headers.get('content-type'), csv.body.split('\r\n')[0]]).toEqual(['text/csv; charset=utf-8', 'price,price_key,day,quantity,amount,currency,state,adjusts']);
  }, 60_000);

  it('shows what a new subscription has earned and owes at once', async () => {
    const one = await organization();
    await one.ok('POST /v1/test-clock', { now: '2027-01-20T00:00:00Z' }, 200);
    await one.ok('POST /v1/meters', { key: 'calls', name: 'calls', event_type: 'c', aggregation: 'count' });
    await one.ok('POST /v1/plans', plan('p', [flat('base', '10.00'), { key: 'calls', name: 'Calls', type: 'usage', meter: 'calls', model: { type: 'per_unit', unit_amount: '0.50' } }]));
    await one.ok('POST /v1/customers', { key: 'c', name: 'c', currency: 'USD', subjects: ['s'] });
    await one.ok('POST /v1/events', ['01', '05', '19'].map((day) => ({ id: day, type: 'c', subject: 's', time: `2027-01-${day}T00:00:00Z` })), 202);
    await one.advance('2027-01-20T00:00:01Z');
    await one.ok('POST /v1/subscriptions', { customer: 'c', plan: 'p', start_at: '2027-01-02T00:00:00Z' }); // The first call was before.
    expect((await one.ok<Invoice>('GET /v1/customers/c/upcoming-invoice')).lines.map(({ amount }) => amount)).toEqual(['1.00', '10.00']);
    await one.ok('POST /v1/subscriptions', { customer: 'c', plan: 'p', start_at: '2027-01-01T00:00:00Z' });
    expect((await one.ok<{ total: unknown }>('GET /v1/rated-usage?from=2027-01-01T00:00:00Z&to=2027-02-01T00:00:00Z')).total).toEqual({ USD: '22.50' }); // 11.00 and 11.50
  });

  it('bills whatever stands in the data: any text as a group, any number that is in bounds', async () => {
    const one = await organization();
    await one.ok('POST /v1/test-clock', { now: '2027-01-01T00:00:00Z' }, 200);
    await one.ok('POST /v1/meters', { key: 'calls', name: 'calls', event_type: 'c', aggregation: 'count', group_by: { region: '$.region' } });
    await one.ok('POST /v1/meters', { key: 'bytes', name: 'bytes', event_type: 'c', aggregation: 'sum', value: '$.bytes' });
    await one.ok('POST /v1/plans', plan('p', [
      { key: 'calls', name: 'Calls', type: 'usage', meter: 'calls', group_by: ['region'], model: { type: 'package', package_size: '2', package_amount: '1' } },
      { key: 'bytes', name: 'Bytes', type: 'usage', meter: 'bytes', model: { type: 'per_unit', unit_amount: '1' } },
    ]));
    await one.ok('POST /v1/customers', { key: 'c', name: 'c', currency: 'USD', subjects: ['s'] });
    await one.ok('POST /v1/subscriptions', { customer: 'c', plan: 'p' });
    const regions = ['a\u0000b', 'a\u0000b', 'a\u0000b', '\u{1F600}', null, 5, [1, { b: '1.0', a: true }]];
    await one.ok('POST /v1/events', regions.map((region, index) => ({ id: String(index), type: 'c', subject: 's', data: { region, bytes: '99999999999999999999.5' } })), 202);
    await one.advance('2027-02-01T02:00:00Z');
    const [invoice] = await one.invoices('c');
    // Started pairs: 2 of the first region, one of each other. 7 × 99999999999999999999.50 = 699999999999999999996.50.
    expect([invoice?.status, invoice?.total, invoice?.lines.map(({ group, amount }) => [group['region'], amount])]).toEqual(['paid', '700000000000000000002.50', [
      ['', '1.00'], ['5', '1.00'], ['[1,{"a":true,"b":"1.0"}]', '1.00'], ['a\u0000b', '2.00'], ['\u{1F600}', '1.00'], [undefined, '699999999999999999996.50']]]);
  }, 60_000);

  it('takes, declines, voids and gives up payments, and refuses what a state forbids', async () => {
    const one = await organization();
    await one.ok('POST /v1/plans', plan('p', [flat('base', '49.00')]));
    const billed = async (key: string, more: { metadata?: object; collection?: string } = {}) => {
      await one.ok('POST /v1/customers', { key, name: key, currency: 'USD', ...(more.metadata === undefined ? {} : { metadata: more.metadata }) });
      await one.ok('POST /v1/subscriptions', { customer: key, plan: 'p', ...(more.collection === undefined ? {} : { collection: more.collection }) });
      await eventually('it is billed and tried', async () => (await one.invoices(key)).some(({ status, ...invoice }) => status === 'paid' || (status === 'open' && (more.collection !== undefined || JSON.stringify(invoice).includes('payment_declined')))));
      return (await one.invoices(key))[0] as Invoice;
    };
    const act = async (invoice: Invoice, action: string) => {
      const { status, body } = await one.call<Refused & { status: string }>(`POST /v1/invoices/${invoice.id}/${action}`);
      return status === 200 ? body.status : [status, body.code, body.state, body.allowed_actions];
    };
    const paid = await billed('pays');
    for (const action of ['finalize', 'pay', 'void', 'mark-uncollectible']) expect(await act(paid, action), action).toEqual([409, 'invalid_state', 'paid', []]);
    const declined = await billed('declines', { metadata: { payment_method: 'pm_fail' } });
    expect(await act(declined, 'pay')).toEqual([409, 'payment_failed', 'open', ['pay', 'record_payment', 'void', 'mark_uncollectible']]);
    expect(await act(declined, 'mark-uncollectible')).toBe('uncollectible');
    await one.ok('PATCH /v1/customers/declines', { metadata: {} }, 200);
    expect(await act(declined, 'pay')).toBe('paid');
    const sent = await billed('sent', { collection: 'send_invoice' });
    let voided: unknown;
    // The provider may just be told about it; nothing is voided under its hands.
    await eventually('it is voided', async () => !JSON.stringify((voided = await act(sent, 'void'))).includes('payment_in_progress'));
    expect(voided).toBe('void');
    expect(await act(sent, 'pay')).toEqual([409, 'invalid_state', 'void', []]);

    const forged = { raw: { type: 'application/json', body: '{"id": "evt_1", "type": "invoice.paid"}' }, headers: { authorization: '', 'stripe-signature': `t=${Math.floor(Temporal.Now.instant().epochMilliseconds / 1000)},v1=00` } };
    await one.ok('PUT /v1/organization/payment-provider', { provider: 'stripe', api_key: 'sk_test_1', webhook_secret: 'whsec_1' }, 200);
    expect((await one.call(`POST /v1/webhooks/stripe/${one.id}`, forged)).status).toBe(400);
    expect(JSON.stringify(await one.ok('GET /v1/organization/payment-provider'))).not.toMatch(/sk_test_1|whsec_1/);
  });

  it('keeps a live organization from taking money nowhere, and organizations from each other', async () => {
    const [live, other] = [await organization('live'), await organization()];
    await live.ok('POST /v1/plans', plan('p', [flat('base', '49.00')]));
    await live.ok('POST /v1/customers', { key: 'c', name: 'c', currency: 'USD', subjects: ['s'] });
    const subscription = await live.ok<{ id: string }>('POST /v1/subscriptions', { customer: 'c', plan: 'p' });
    await eventually('it is issued', async () => (await live.invoices('c')).some(({ status }) => status === 'open'));
    const [invoice] = await live.invoices('c');
    expect(await live.call(`POST /v1/invoices/${invoice?.id}/pay`)).toMatchObject({ status: 409, body: { code: 'payment_provider_missing' } });
    expect((await live.call('POST /v1/test-clock', { body: { now: '2027-01-01T00:00:00Z' } })).status).toBe(409);

    const range = 'from=2020-01-01T00:00:00Z&to=2030-01-01T00:00:00Z';
    const hidden = ['GET /v1/plans/p', 'GET /v1/customers/c', `GET /v1/subscriptions/${subscription.id}`, `GET /v1/invoices/${invoice?.id}`, `POST /v1/invoices/${invoice?.id}/void`, 'GET /v1/customers/c/upcoming-invoice', `GET /v1/customers/c/usage?${range}`, 'POST /v1/customers/c/archive'];
    expect(await Promise.all(hidden.map(async (route) => (await other.call(route)).status))).toEqual(hidden.map(() => 404));
    for (const list of ['plans', 'customers', 'subscriptions', 'invoices', 'events', 'dead-letters', `rated-usage?${range}`]) expect((await other.ok<Listed>(`GET /v1/${list}`)).data, list).toEqual([]);
  });
});
