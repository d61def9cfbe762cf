import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { appNames, appOf, routesOf } from './route-table.js';

describe('the route table', () => {
  it('is the one of the document', () => {
    const text = readFileSync('docs/architecture/ownership.md', 'utf8');
    const table = /\| path \| app \|\n\|---\|---\|\n((?:\|.*\n)+)/.exec(text)?.[1] ?? '';
    const documented = Object.fromEntries(
      table.trim().split('\n').map((line) => {
        const [paths = '', app = ''] = line.split('|').slice(1, 3);
        return [app.trim(), [...paths.matchAll(/`([^`]+)`/g)].map(([, path]) => path)];
      }),
    );
    expect(documented).toEqual(routesOf);
    expect(Object.keys(documented).toSorted()).toEqual([...appNames].toSorted());
  });

  it.each([
    ['POST', '/v1/events', 'ingest'],
    ['GET', '/v1/events', 'aggregator'],
    ['HEAD', '/v1/events', 'aggregator'],
    ['POST', '/v1/events/', 'ingest'],
    ['DELETE', '/v1/events', null],
    ['POST', '/v1/ingest/combined', 'ingest'],
    ['POST', '/v1/dead-letters/dl_1/replay', 'ingest'],
    ['POST', '/v1/dead-letters/discard', 'ingest'],
    ['GET', '/v1/dead-letters', 'aggregator'],
    ['GET', '/v1/dead-letters/summary', 'aggregator'],
    ['GET', '/v1/meters', 'billing-api'],
    ['GET', '/v1/meters/usage', 'billing-api'], // A meter of that key.
    ['GET', '/v1/meters/requests/usage', 'aggregator'],
    ['GET', '/v1/meters/requests/usage/live', 'aggregator'],
    ['GET', '/v1/events/live', 'aggregator'],
    ['GET', '/v1/meters/requests%2Fusage', 'billing-api'],
    ['GET', '/v1/m%65ters/requests/usage', 'aggregator'],
    ['GET', '/v1/customers/cus_1/usage', 'aggregator'],
    ['PATCH', '/v1/customers/cus_1', 'billing-api'],
    ['GET', '/v1/customers/cus_1/upcoming-invoice', 'invoicing'],
    ['PUT', '/v1/organization/payment-provider', 'invoicing'],
    ['GET', '/v1/organization', 'billing-api'],
    ['GET', '/v1/organizations', 'billing-api'],
    ['POST', '/v1/webhooks/stripe/org_1', 'invoicing'],
    ['POST', '/v1/pricing/simulate', 'rating'],
    ['GET', '/v1/nothing', null],
    ['GET', '/v1/%zz', null],
    ['GET', '/', null],
  ] as const)('%s %s goes to %s', (method, path, app) => {
    expect(appOf({ method, path })).toBe(app);
  });
});
