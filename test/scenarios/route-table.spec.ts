import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aggregatorApp } from '#aggregator';
import { billingApiApp } from '#billing-api';
import { appNames, appOf, routesOf, type AppName } from '#front';
import { ingestApp } from '#ingest';
import { invoicingApp } from '#invoicing';
import { makeLogger } from '#platform';
import { ratingApp } from '#rating';
import { composeDefinition, createApplication, openAdapters, prepareStores, type AppDefinition } from '#service';
import { freshClickHouseDatabase, usePostgres } from '#testing';

// Goal: the front sends every route of every app to that app, and no rule of its table is left over.
// Method: each app is composed as its process does, and its own OpenAPI document is read.

const { freshDatabase } = usePostgres();
const logger = makeLogger({ name: 'routes', level: 'silent' });
const ofTheProcess = new Set(['/healthz', '/readyz', '/metrics']);

type Addresses = Parameters<typeof prepareStores>[0];

interface Route {
  readonly app: string;
  readonly method: string;
  readonly path: string;
}

const routes: Route[] = [];
let dropClickHouse: () => Promise<void>;

async function routesOfApp<Config>(definition: AppDefinition<Config>, addresses: Addresses): Promise<Route[]> {
  const adapters = await openAdapters({ role: definition.role, poolSizeMax: 4, addresses, serverSecret: 'a secret of at least 32 characters', logger });
  const app = await createApplication([composeDefinition(definition, adapters, definition.settings.parse({}))], logger);
  try {
    const { paths } = (await app.inject({ url: '/openapi.json' })).json<{ paths: Record<string, Record<string, unknown>> }>();
    return Object.entries(paths)
      .filter(([path]) => !ofTheProcess.has(path))
      .flatMap(([path, item]) => Object.keys(item).map((method) => ({ app: definition.name, method: method.toUpperCase(), path })));
  } finally {
    await app.close();
    await adapters.close();
  }
}

describe('the route table of the front', () => {
  beforeAll(async () => {
    const clickHouse = await freshClickHouseDatabase();
    dropClickHouse = clickHouse.drop;
    const clickHouseUrl = clickHouse.url.slice(0, -`/${clickHouse.database}`.length); // The apps name the database themselves.
    const addresses = { databaseUrl: (await freshDatabase()).url, clickHouseUrl, kafkaBrokers: undefined, redisUrl: undefined };
    await prepareStores(addresses, { logger });
    routes.push(
      ...(await routesOfApp(ingestApp, addresses)), ...(await routesOfApp(aggregatorApp, addresses)), ...(await routesOfApp(ratingApp, addresses)),
      ...(await routesOfApp(invoicingApp, addresses)), ...(await routesOfApp(billingApiApp, addresses)),
    );
  }, 90_000);
  afterAll(() => dropClickHouse());

  it('sends every route of every app to that app', () => {
    expect(routes.length).toBeGreaterThan(50);
    expect([...new Set(routes.map(({ app }) => app))].toSorted()).toEqual([...appNames].toSorted());
    expect(routes.filter(({ app, method, path }) => appOf({ method, path: path.replaceAll(/\{[^}]+\}/g, 'x') }) !== app)).toEqual([]);
  });

  it('knows each route of one app only', () => {
    const names = routes.map(({ method, path }) => `${method} ${path.replaceAll(/\{[^}]+\}/g, '{}')}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('has no rule that no route needs', () => {
    const prefixOf = (rule: string): string => rule.replace(/^[A-Z]+ /, '').replace(/\/\*$/, '').replaceAll(/\{[^}]+\}/g, '{}');
    const idle = (Object.entries(routesOf) as [AppName, readonly string[]][]).flatMap(([app, rules]) =>
      rules.filter((rule) => !routes.some((route) => route.app === app && route.path.replaceAll(/\{[^}]+\}/g, '{}').startsWith(prefixOf(rule)))));
    expect(idle).toEqual([]);
  });
});
