import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { scopes, type Scope } from '#contracts';
import { apiVersion, openApiDocument } from '#platform';
import { usePostgres } from '#testing';
import { startBillingApi, type Call } from '../fixtures/billing-api-app.js';

usePostgres();
const { owner, as, app, origin, anotherOrganization } = await startBillingApi();

interface Operation {
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: object } } };
  readonly responses: Record<string, { readonly content?: object }>;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
}

const document = openApiDocument(app);
const routes = Object.entries(document.paths)
  .filter(([path]) => path.startsWith('/v1/'))
  .flatMap(([path, item]) => Object.entries(item as Record<string, Operation>).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, method: method.toUpperCase(), path, operation })));

/** A body that each route takes. A new route with a body needs its row here. */
const bodies: Record<string, unknown> = {
  'POST /v1/organizations': { name: 'x', mode: 'test' },
  'PATCH /v1/organization': {},
  'POST /v1/api-keys': { name: 'x' },
  'PATCH /v1/api-keys/{id}': { name: 'x' },
  'POST /v1/products': { key: 'p', name: 'x' },
  'PUT /v1/products/{id}': { name: 'x' },
  'PATCH /v1/products/{id}': { name: 'x' },
  'POST /v1/features': { key: 'f', name: 'x' },
  'PUT /v1/features/{id}': { name: 'x' },
  'PATCH /v1/features/{id}': { name: 'x' },
  'POST /v1/meters': { key: 'm', name: 'x', event_type: 'e', aggregation: 'count' },
  'PUT /v1/meters/{id}': { name: 'x', event_type: 'e', aggregation: 'count' },
  'PATCH /v1/meters/{id}': { name: 'x' },
  'POST /v1/event-sources': { key: 'es', name: 'x', format: 'kong' },
  'PUT /v1/event-sources/{id}': { name: 'x', format: 'kong' },
  'PATCH /v1/event-sources/{id}': { name: 'x' },
  'POST /v1/plans': { key: 'pl', name: 'x', currency: 'EUR', billing_period: 'P1M', prices: [] },
  'PUT /v1/plans/{id}': { name: 'x', currency: 'EUR', billing_period: 'P1M', prices: [] },
  'PATCH /v1/plans/{id}': { name: 'x' },
  'PUT /v1/plans/{id}/draft': { name: 'x', currency: 'EUR', billing_period: 'P1M', prices: [] },
  'POST /v1/plans/{id}/raise': { percent: '1' },
  'POST /v1/plans/{id}/migrate': { to_version: 1, when: 'period_end' },
  'POST /v1/add-ons': { key: 'ao', name: 'x', currency: 'EUR', prices: [{ key: 'ao', name: 'x', type: 'recurring', model: { type: 'flat', amount: '1' } }] },
  'PUT /v1/add-ons/{id}': { name: 'x', currency: 'EUR', prices: [{ key: 'ao', name: 'x', type: 'recurring', model: { type: 'flat', amount: '1' } }] },
  'PATCH /v1/add-ons/{id}': { name: 'x' },
  'POST /v1/customers': { key: 'c', name: 'x' },
  'PUT /v1/customers/{id}': { name: 'x' },
  'PATCH /v1/customers/{id}': { name: 'x' },
  'POST /v1/customers/{id}/subjects': { subject: 'x' },
  'POST /v1/subscriptions': { customer: 'c', plan: 'pl' },
  'PATCH /v1/subscriptions/{id}': { metadata: { a: 'b' } },
  'POST /v1/subscriptions/{id}/change': { when: 'now' },
  'POST /v1/subscriptions/{id}/cancel': { when: 'now' },
  'POST /v1/subscriptions/{id}/add-ons': { add_on: 'ao' },
  'POST /v1/subscriptions/{id}/add-ons/{addOn}': { quantity: 2, when: 'now' },
  'POST /v1/subscriptions/{id}/add-ons/{addOn}/remove': { when: 'now' },
  'POST /v1/test-clock': { now: '2026-01-01T00:00:00Z' },
  'POST /v1/test-clock/advance': { to: '2001-01-01T00:00:00Z' },
};

/** One object of each resource, by the first part of its path. */
async function fill(call: Call): Promise<Record<string, string>> {
  const made: Record<string, string> = {};
  for (const noun of ['products', 'features', 'meters', 'event-sources', 'plans', 'add-ons', 'customers', 'subscriptions', 'api-keys']) {
    const { status, body } = await call('POST', `/v1/${noun}`, bodies[`POST /v1/${noun}`]);
    expect([noun, status]).toEqual([noun, 201]);
    made[noun] = body.id;
  }
  return made;
}

const mine = await fill(owner);
const stranger = await anotherOrganization();
const nounOf = (path: string): string => path.split('/')[2] ?? '';

describe('another organization', () => {
  it.each(routes.filter(({ path }) => path.includes('{')))('gets 404 for $name', async ({ name, method, path }) => {
    const id = mine[nounOf(path)];
    if (nounOf(path) === 'organizations') return expect((await stranger.call(method, path.replace('{id}', 'org_x'))).body.code).toBe('scope_missing');
    const before = (await owner('GET', `/v1/${nounOf(path)}/${id}`)).body;
    const { status, body } = await stranger.call(method, path.replace(/\{\w+\}/, id ?? ''), bodies[name]);
    expect([status, body.code]).toEqual([404, 'not_found']);
    expect((await owner('GET', `/v1/${nounOf(path)}/${id}`)).body).toEqual(before);
  });

  it.each(['products', 'features', 'meters', 'event-sources', 'plans', 'customers', 'subscriptions'])('lists nothing of these %s, and may use the same keys', async (noun) => {
    const other = await anotherOrganization();
    expect((await other.call('GET', `/v1/${noun}?include_archived=true`.replace(noun === 'subscriptions' ? '?include_archived=true' : '', ''))).body).toEqual({ data: [], has_more: false });
    if (noun !== 'subscriptions') expect((await other.call('POST', `/v1/${noun}`, bodies[`POST /v1/${noun}`])).status).toBe(201);
  });

  it('refers to nothing of these', async () => {
    const refers = async (path: string, body: object) => (await stranger.call('POST', path, body)).body.errors.map(({ pointer, code }: Record<string, string>) => `${pointer} ${code}`);
    expect(await refers('/v1/subscriptions', { customer: mine['customers'], plan: mine['plans'] })).toEqual(['/customer unknown_customer', '/plan unknown_plan']);
    expect(await refers('/v1/features', { key: 'x', name: 'x', meter: mine['meters'] })).toEqual(['/meter unknown_meter']);
    expect(await refers('/v1/plans', { key: 'x', name: 'x', currency: 'EUR', billing_period: 'P1M', product: mine['products'], prices: [] })).toEqual(['/product unknown_product']);
    const usage = { key: 'u', name: 'u', type: 'usage', meter: mine['meters'], model: { type: 'per_unit', unit_amount: '1' } };
    expect(await refers('/v1/plans', { key: 'x', name: 'x', currency: 'EUR', billing_period: 'P1M', prices: [usage] })).toEqual(['/prices/0/meter unknown_meter']);
  });
});

describe('every route', () => {
  it.each(routes)('$name wants a credential and its scope', async ({ name, method, path }) => {
    const url = path.replace(/\{\w+\}/, mine[nounOf(path)] ?? 'org_x');
    expect((await as(null)(method, url, bodies[name])).status).toBe(401);
    const { body } = await owner('POST', '/v1/api-keys', { name: 'none', scopes: scopes.filter((scope) => !needed(path, method).includes(scope)) });
    const refused = await as(body.secret)(method, url, bodies[name]);
    expect([refused.status, refused.body.code]).toEqual([403, 'scope_missing']);
  });

  it.each(routes)('$name is documented with its bodies', ({ name, operation }) => {
    const good = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'));
    expect(good.length).toBeGreaterThan(0);
    for (const [, response] of good) expect(response.content).toBeDefined();
    expect(operation.responses['401']).toBeDefined();
    if (name in bodies) expect(Object.keys(operation.requestBody?.content['application/json'].schema ?? {}).length).toBeGreaterThan(0);
  });
});

/** The scope of a route by its noun and whether it writes. */
function needed(path: string, method: string): Scope[] {
  const noun = nounOf(path);
  if (noun === 'organizations') return ['platform'];
  if (path.endsWith('/migrate')) return ['subscriptions:write']; // It changes those, not the plan.
  if (noun === 'test-clock') return method === 'GET' ? ['organization:read'] : ['test-clock:write'];
  const area = { organization: 'organization', 'api-keys': 'keys', customers: 'customers', subscriptions: 'subscriptions' }[noun] ?? 'catalog';
  return [`${area}:${method === 'GET' ? 'read' : 'write'}` as Scope];
}

describe('the documents', () => {
  it('are served: OpenAPI 3.1 and a page that needs nothing from elsewhere', async () => {
    const { status, body } = await as(null)('GET', '/openapi.json');
    expect([status, body.openapi, body.info.version]).toEqual([200, '3.1.0', apiVersion]);
    expect(Object.keys(body.paths)).toEqual(expect.arrayContaining(['/v1/plans/{id}', '/v1/customers/{id}/subjects', '/healthz']));
    const plan = body.paths['/v1/plans'].post.requestBody.content['application/json'].schema;
    expect(plan.required).toEqual(['key', 'name', 'currency', 'billing_period', 'prices']);
    expect(plan.properties.prices.items).toEqual({ $ref: '#/components/schemas/Price' });
    const query = body.paths['/v1/subscriptions'].get.parameters.map(({ name }: { name: string }) => name);
    expect(query).toEqual(expect.arrayContaining(['limit', 'starting_after', 'ending_before', 'customer', 'plan', 'status']));
    const page = await (await fetch(`${origin}/docs`)).text();
    expect(page).toContain('swagger-ui');
    expect(page).not.toMatch(/(?:src|href)="https?:/);
    const script = await fetch(`${origin}/docs/swagger-ui-bundle.js`);
    expect([script.status, (await script.text()).length > 100_000]).toEqual([200, true]);
  });

  // Goal: generators of clients find every schema, and each once. Method: all references of the document, and its size: with the schemas of prices inline it had 1.4 MB.
  it('name schemas that are used in many places, and each is there', () => {
    const text = JSON.stringify(document);
    const references = new Set([...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, reference = '']) => reference));
    const { schemas } = document.components as { schemas: Record<string, unknown> };
    expect([...references].filter((reference) => !(reference.replace('#/components/schemas/', '') in schemas))).toEqual([]);
    expect(Object.keys(schemas)).toEqual(expect.arrayContaining(['Customer', 'GraduatedModel', 'Meter', 'Model', 'Plan', 'PlanPrice', 'Price', 'Problem', 'Subscription', 'UnitTier']));
    expect(Object.keys(schemas).filter((name) => !references.has(`#/components/schemas/${name}`))).toEqual([]);
    expect(text).not.toContain('$defs');
    expect(text.length).toBeLessThan(300_000);
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'api', components: document.components });
    const isPrice = ajv.getSchema('api#/components/schemas/Price') as ValidateFunction;
    const graduated = { key: 'a', name: 'A', type: 'usage', meter: 'm', model: { type: 'graduated', tiers: [{ up_to: null, unit_amount: '1' }] } };
    expect([isPrice(graduated), isPrice({ ...graduated, model: { type: 'graduated', tiers: [] } }), isPrice({ ...graduated, more: 1 })]).toEqual([true, false, false]);
  });

  it('name no path twice', () => {
    const shapes = Object.keys(document.paths).map((path) => path.replaceAll(/\{\w+\}/g, '{}'));
    expect(new Set(shapes).size).toBe(shapes.length);
  });

  it('of a version are asked for by date', async () => {
    const get = (version: string) => owner('GET', '/v1/organization', undefined, { 'tollway-version': version });
    expect((await get('2027-01-31')).headers.get('tollway-version')).toBe(apiVersion);
    expect((await get('2020-01-01')).body).toMatchObject({ status: 400, code: 'unknown_version' });
    expect((await get('2027-02-30')).body).toMatchObject({ status: 400, code: 'invalid_version' });
  });

  it('name no route that is not there', async () => {
    for (const path of ['/v1/nothing', '/v1/customers/x/nothing', '/']) {
      const { status, body, headers } = await owner('GET', path);
      expect([status, body.code, headers.get('content-type')]).toEqual([404, 'not_found', 'application/problem+json; charset=utf-8']);
    }
  });
});
