/** The apps behind the front, as their folders are called. */
export const appNames = ['ingest', 'aggregator', 'rating', 'invoicing', 'billing-api'] as const;

export type AppName = (typeof appNames)[number];

/**
 * Which app owns which routes: the table of docs/architecture/ownership.md, and a test holds the two together. A rule with
 * a method is that route; one without is the path and everything beneath it. `{…}` stands for one segment, `*` for the
 * rest. The longest rule wins, so a resource of one app may have a route beneath it that another app owns.
 */
export const routesOf: Readonly<Record<AppName, readonly string[]>> = {
  ingest: [
    'POST /v1/events', 'POST /v1/events/void', 'POST /v1/events/amend', 'POST /v1/ingest/*', 'POST /v1/event-sources/try', 'POST /v1/logs', 'POST /v1/dead-letters/*', 'POST /api/v1/events', 'POST /api/v1/events/batch',
    'POST /api/v3/openmeter/events',
    'POST /v1/billing/meter_events', 'POST /v2/billing/meter_events', 'POST /v2/billing/meter_event_session', 'POST /v2/billing/meter_event_stream',
  ],
  aggregator: ['GET /v1/events', 'GET /v1/events/corrections', 'GET /v1/events/live', 'GET /v1/dead-letters/*', 'POST /v1/meters/try', 'GET /v1/meters/{key}/usage', 'GET /v1/meters/{key}/usage/live', 'GET /v1/meters/{key}/verify', 'GET /v1/customers/{id}/usage', 'GET /v1/event-sources/{key}/stats', '/v1/exports'],
  'billing-api': [
    '/v1/organizations', '/v1/organization', '/v1/api-keys', '/v1/products', '/v1/features', '/v1/meters', '/v1/event-sources', '/v1/plans', '/v1/add-ons', '/v1/customers', '/v1/subscriptions',
    '/v1/test-clock',
  ],
  rating: ['GET /v1/customers/{id}/entitlements', 'GET /v1/customers/{id}/access/{feature}', '/v1/pricing/simulate', '/v1/pricing/backtest', '/v1/pricing/break-even', '/v1/rated-usage', 'GET /v1/invoices/{id}/lines/{line}/receipt', 'GET /v1/invoices/{id}/lines/{line}/events', 'GET /v1/invoices/{id}/verify', 'GET /v1/events/{id}/billing'],
  invoicing: ['/v1/invoices', '/v1/late-usage', '/v1/customers/{id}/upcoming-invoice', '/v1/webhooks/stripe', '/v1/organization/payment-provider'],
};

interface Rule {
  readonly app: AppName;
  /** Null for every method. */
  readonly method: string | null;
  readonly segments: readonly string[];
  readonly isOpen: boolean;
}

const rules: readonly Rule[] = appNames
  .flatMap((app) => routesOf[app].map((text) => ruleOf(app, text)))
  .toSorted((left, right) => right.segments.length - left.segments.length || Number(left.method === null) - Number(right.method === null));

function ruleOf(app: AppName, text: string): Rule {
  const [path = '', method = null] = text.split(' ').toReversed();
  const segments = segmentsOf(path);
  const isStar = segments.at(-1) === '*';
  return { app, method, segments: isStar ? segments.slice(0, -1) : segments, isOpen: isStar || method === null };
}

/** The app that owns a route, by its method and its path without a query; null where nobody does. */
export function appOf(route: { readonly method: string; readonly path: string }): AppName | null {
  const segments = segmentsOf(route.path);
  const method = route.method === 'HEAD' ? 'GET' : route.method;
  return rules.find((rule) => (rule.method === null || rule.method === method) && covers(rule, segments))?.app ?? null;
}

function covers(rule: Rule, segments: readonly string[]): boolean {
  if (rule.isOpen ? segments.length < rule.segments.length : segments.length !== rule.segments.length) return false;
  return rule.segments.every((expected, index) => expected.startsWith('{') || expected === segments[index]);
}

/** A slash at the end says nothing, as in the apps. A segment that can't be decoded is no name that a rule knows. */
function segmentsOf(path: string): string[] {
  return path.replace(/^\//, '').replace(/\/$/, '').split('/').map(decoded);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
