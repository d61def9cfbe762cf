import * as fc from 'fast-check';
import fastify from 'fastify';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Scope } from '#contracts';
import { Database, migrateDatabase } from '#persistence';
import { Fault, sendProblem, systemClock, toProblem, type Principal } from '#platform';
import { usePostgres } from '#testing';
import { registerAccessRoute } from './in/access-route.js';
import { toAccessBody, toEntitlementsBody } from './in/access-bodies.js';
import { ReadAccess } from './read-access.js';
import { ReadMarginalBasis } from './read-marginal-amount.js';
import { ReadPeriodUsage } from './read-period-usage.js';
import type { SliceEvents, UsageSlices } from './usage-slices.js';

// Goal: what a customer may use at an instant, by the subscriptions that it has then. Method: a real database; metered usage is a list
// of events by hand, so that expectations need no aggregator. Who counts is tried with real events in a scenario.

const postgres = usePostgres();
const organizationId = 'org_a';
const freshAsOf = Temporal.Instant.from('2027-06-01T00:00:00Z');
let database: Database;
let admin: pg.Client;
let readAccess: ReadAccess;
let holding: ReadAccess;
let queries = 0;
let elapsedMs = 0;
let isAway = false;

const used: { meter: string; at: string; value: number; group?: Record<string, string> }[] = [];
const usage: UsageSlices = {
  readSlices: async ({ meterId, slices, groupBy }) => {
    queries += 1;
    if (isAway) throw new Fault({ code: 'usage_unavailable', detail: 'Usage can not be read.', retryable: true });
    const within = (from: Temporal.Instant, end: Temporal.Instant) => used.filter(({ meter, at }) => meter === meterId && Temporal.Instant.compare(at, from) >= 0 && Temporal.Instant.compare(at, end) < 0);
    const groupOf = ({ group = {} }: (typeof used)[number]) => JSON.stringify(Object.fromEntries(groupBy.map((name) => [name, group[name] ?? ''])));
    const rows = slices.flatMap(({ ref, from, ends }) => ends.flatMap((end) => [...Map.groupBy(within(from, end), groupOf)].map(([group, events]) => {
      const value = meterId === 'mtr_seats' ? (events.at(-1)?.value ?? 0) : events.reduce((sum, event) => sum + event.value, 0);
      return { ref, end, group: JSON.parse(group) as Record<string, string>, value: String(value) };
    })));
    return { rows, freshAsOf };
  },
};
const events: SliceEvents = {
  readEvents: async () => expect.unreachable('No price looks at events.'),
  readStated: async () => expect.unreachable('No price looks at events.'),
};

const metered = (limit: string | null, more: object = {}) => ({ feature: 'calls', type: 'metered', limit, reset: 'billing_period', enforcement: 'hard', ...more });
const calls = { id: 'price_1', key: 'calls', name: 'Calls', type: 'usage', meter: 'calls', included_units: '100', model: { type: 'per_unit', unit_amount: '0.01' } };

beforeAll(async () => {
  const { url } = await postgres.freshDatabase({ template: { name: 'migrated', prepare: async (target) => void (await migrateDatabase(target)) } });
  database = await Database.open({ url, role: 'rating', poolSizeMax: 4 });
  admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(`
    insert into organizations (id, name, mode, invoice_prefix, created_at) values ('org_a', 'A', 'test', 'A', now()), ('org_b', 'B', 'test', 'B', now());
    insert into test_clocks (organization_id, now) values ('org_a', '2027-01-15T12:00:00Z');
    insert into meters (id, organization_id, key, name, event_type, aggregation, group_by, created_at) values
      ('mtr_calls', 'org_a', 'calls', 'Calls', 'call', 'count', '{"region": "$.region"}', now()), ('mtr_seats', 'org_a', 'seats', 'Seats', 'seats', 'latest', '{}', now());
    insert into features (id, organization_id, key, name, meter_id, created_at) values
      ('feat_calls', 'org_a', 'calls', 'Calls', 'mtr_calls', now()), ('feat_seats', 'org_a', 'seats', 'Seats', 'mtr_seats', now()), ('feat_sso', 'org_a', 'sso', 'SSO', null, now());
  `);
  const plans: [id: string, version: number, prices: unknown[], entitlements: unknown[]][] = [
    ['free', 1, [], [metered('10', { rate_limit: { limit: 5, per_seconds: 1 } }), { feature: 'seats', type: 'metered', limit: '3', reset: 'never', enforcement: 'hard' }]],
    ['free', 2, [], [metered('12')]],
    ['pro', 1, [calls], [metered('1000', { enforcement: 'soft' }), { feature: 'sso', type: 'boolean' }]],
    ['daily', 1, [], [metered('5', { reset: 'day' })]],
    ['regional', 1, [{ ...calls, id: 'price_2', group_by: ['region'] }], [metered(null)]],
    ['nothing', 1, [], []],
  ];
  for (const id of ['free', 'pro', 'daily', 'regional', 'nothing']) await admin.query(`insert into plans (id, organization_id, key, name, latest_version, created_at) values ($1, 'org_a', $2, $2, 1, now())`, [`plan_${id}`, id]);
  for (const [id, version, prices, entitlements] of plans) {
    await admin.query(`insert into plan_versions (plan_id, version, organization_id, currency, billing_period, prices, entitlements, created_at) values ($1, $2, 'org_a', 'USD', 'P1M', $3, $4, now())`,
      [`plan_${id}`, version, JSON.stringify(prices), JSON.stringify(entitlements)]);
  }
  const readMarginal = new ReadMarginalBasis(new ReadPeriodUsage({ database, usage, events, clock: systemClock }));
  readAccess = new ReadAccess({ database, usage, clock: systemClock, readMarginal, holdMs: 0 });
  holding = new ReadAccess({ database, usage, clock: systemClock, readMarginal, elapsedMs: () => elapsedMs });
}, 60_000);

afterAll(async () => {
  await database?.close();
  await admin?.end();
});

interface Subscribed {
  readonly plan: string;
  readonly version?: number;
  readonly startAt?: string;
  readonly trialEndAt?: string;
  readonly cancelAt?: string;
  readonly changes?: readonly { at: string; plan: string; version?: number }[];
  readonly currency?: string;
}

let made = 0;
/** A customer of its own with these subscriptions. */
async function customer(...subscriptions: readonly Subscribed[]): Promise<string> {
  made += 1;
  const id = `cus_${made}`;
  await admin.query(`insert into customers (id, organization_id, key, name, time_zone, created_at) values ($1, 'org_a', $2, 'C', 'America/New_York', now())`, [id, `c${made}`]);
  for (const [index, { plan, version = 1, startAt = '2027-01-01T00:00:00Z', trialEndAt = null, cancelAt = null, changes = [], currency = 'USD' }] of subscriptions.entries()) {
    const anchor = trialEndAt ?? startAt;
    const stored = changes.map((change) => ({
      at: change.at, plan_id: `plan_${change.plan}`, plan_version: change.version ?? 1, billing_period: 'P1M', billing_anchor: anchor, prorated: true, immediate: true, phase: false, quantities: {}, overrides: [],
    }));
    await admin.query(
      `insert into subscriptions (id, organization_id, customer_id, plan_id, plan_version, changes, start_at, billing_anchor, trial_end_at, cancel_at, currency, time_zone, collection, created_at)
       values ($1, 'org_a', $2, $3, $4, $5, $6, $7, $8, $9, $10, 'America/New_York', 'automatic', now())`,
      [`sub_${made}_${index}`, id, `plan_${plan}`, version, JSON.stringify(stored), startAt, anchor, trialEndAt, cancelAt, currency]);
  }
  return id;
}

async function setClock(now: string): Promise<void> {
  await admin.query(`update test_clocks set now = $1`, [now]);
}

async function access(reference: string, feature = 'calls', query: Record<string, string> = {}) {
  const outcome = await readAccess.access({ organizationId, customer: reference, feature }, query);
  return outcome.ok ? toAccessBody(outcome.value) : expect.unreachable(outcome.detail);
}

function use(meter: string, at: string, value = 1, group: Record<string, string> = {}): void {
  used.push({ meter, at, value, group });
}

describe('access to a limited feature', () => {
  it('is allowed up to the limit and refused beyond, until it resets', async () => {
    const id = await customer({ plan: 'free' });
    used.length = 0;
    use('mtr_calls', '2027-01-02T00:00:00Z', 9);
    expect(await access(id)).toMatchObject({ allowed: true, code: null, limit: '10', used: '9', remaining: '1', resets_at: '2027-02-01T00:00:00Z', rate_limit: { limit: 5, per_seconds: 1 }, marginal_amount: '0', plan_key: 'free' });
    expect(await access(id, 'calls', { quantity: '2' })).toMatchObject({ allowed: false, code: 'quota_exceeded', remaining: '1' });
    use('mtr_calls', '2027-01-03T00:00:00Z');
    expect(await access('c1')).toMatchObject({ allowed: false, code: 'quota_exceeded', used: '10', remaining: '0', resets_at: '2027-02-01T00:00:00Z' });
    expect(await access(id, 'feat_calls', { quantity: '0' })).toMatchObject({ allowed: true });
    await setClock('2027-02-01T00:00:00Z');
    expect(await access(id)).toMatchObject({ allowed: true, used: '0', remaining: '10', resets_at: '2027-03-01T00:00:00Z', fresh_as_of: '2027-06-01T00:00:00Z' });
    await setClock('2027-01-15T12:00:00Z');
  });

  it('resets at midnight where the customer lives', async () => {
    const id = await customer({ plan: 'daily' });
    used.length = 0;
    use('mtr_calls', '2027-01-15T04:59:59Z', 5); // 23:59 of the day before, in New York.
    expect(await access(id)).toMatchObject({ allowed: true, used: '0', resets_at: '2027-01-16T05:00:00Z' });
    use('mtr_calls', '2027-01-15T05:00:00Z', 5);
    expect(await access(id)).toMatchObject({ allowed: false, used: '5' });
  });

  it('is by the plan version that the subscription is on at the instant', async () => {
    const id = await customer({ plan: 'free', changes: [{ at: '2027-01-10T00:00:00Z', plan: 'free', version: 2 }, { at: '2027-01-12T00:00:00Z', plan: 'pro' }, { at: '2027-01-20T00:00:00Z', plan: 'free' }] });
    used.length = 0;
    use('mtr_calls', '2027-01-05T00:00:00Z', 9);
    await setClock('2027-01-11T00:00:00Z');
    expect(await access(id)).toMatchObject({ plan_version: 2, limit: '12', used: '9' }); // Another version takes and gives nothing.
    use('mtr_calls', '2027-01-13T00:00:00Z', 100);
    await setClock('2027-01-15T12:00:00Z');
    expect(await access(id)).toMatchObject({ plan_key: 'pro', allowed: true, limit: '1000', used: '100', marginal_amount: '0.01' }); // 100 included, from the change on.
    await setClock('2027-01-21T00:00:00Z');
    expect(await access(id, 'calls', { quantity: '2' })).toMatchObject({ plan_key: 'free', allowed: false, used: '9', remaining: '1' }); // What was used under it before.
    await setClock('2027-01-15T12:00:00Z');
  });

  it('lets a soft limit be passed, and says what it costs', async () => {
    const id = await customer({ plan: 'pro' });
    used.length = 0;
    use('mtr_calls', '2027-01-05T00:00:00Z', 1_200);
    expect(await access(id, 'calls', { quantity: '3' })).toMatchObject({ allowed: true, code: null, limit: '1000', used: '1200', remaining: '0', enforcement: 'soft', marginal_amount: '0.03', currency: 'USD' });
  });

  it('looks at a level as it is, whenever it was said', async () => {
    const id = await customer({ plan: 'free' });
    used.length = 0;
    use('mtr_seats', '2026-12-01T00:00:00Z', 2);
    expect(await access(id, 'seats')).toMatchObject({ allowed: true, used: '2', remaining: '1', resets_at: null, reset: 'never' });
    expect(await access(id, 'seats', { quantity: '2' })).toMatchObject({ allowed: false, code: 'quota_exceeded' });
  });
});

describe('access by subscriptions', () => {
  it.each<[string, readonly Subscribed[], string | null, boolean]>([
    ['none', [], 'no_entitlement', false],
    ['one whose plan does not grant it', [{ plan: 'nothing' }], 'no_entitlement', false],
    ['one that is to begin', [{ plan: 'free', startAt: '2027-01-16T00:00:00Z' }], 'subscription_inactive', false],
    ['one that has ended', [{ plan: 'free', cancelAt: '2027-01-15T12:00:00Z' }], 'subscription_inactive', false],
    ['one that is to end', [{ plan: 'free', cancelAt: '2027-01-15T12:00:01Z' }], null, true],
    ['a trial', [{ plan: 'free', trialEndAt: '2027-01-20T00:00:00Z' }], null, true],
    ['one that has ended and one that lasts', [{ plan: 'free', cancelAt: '2027-01-10T00:00:00Z' }, { plan: 'free', startAt: '2027-01-10T00:00:00Z' }], null, true],
  ])('%s', async (_name, subscriptions, code, allowed) => {
    used.length = 0;
    expect(await access(await customer(...subscriptions))).toMatchObject({ code, allowed });
  });

  it('is free in a trial, which is a period of its own', async () => {
    const id = await customer({ plan: 'pro', trialEndAt: '2027-01-20T00:00:00Z' });
    used.length = 0;
    use('mtr_calls', '2027-01-10T00:00:00Z', 500);
    expect(await access(id)).toMatchObject({ used: '500', resets_at: '2027-01-20T00:00:00Z', marginal_amount: '0', marginal_unknown: null });
  });

  it('is by the most generous of several', async () => {
    const id = await customer({ plan: 'free' }, { plan: 'daily' });
    used.length = 0;
    use('mtr_calls', '2027-01-02T00:00:00Z', 7);
    expect(await access(id)).toMatchObject({ plan_key: 'daily', remaining: '5' });
    expect(await access(id, 'calls', { quantity: '6' })).toMatchObject({ allowed: false, plan_key: 'daily' }); // Limits are not added.
    use('mtr_calls', '2027-01-15T06:00:00Z', 3);
    expect(await access(id)).toMatchObject({ plan_key: 'daily', remaining: '2' });
  });

  it('adds up what all of them ask', async () => {
    used.length = 0;
    use('mtr_calls', '2027-01-02T00:00:00Z', 100);
    expect(await access(await customer({ plan: 'pro' }, { plan: 'pro' }), 'calls', { quantity: '5' })).toMatchObject({ marginal_amount: '0.1' }); // 2 × 5 × 0.01
    expect(await access(await customer({ plan: 'pro' }, { plan: 'pro', currency: 'EUR' }))).toMatchObject({ allowed: true, marginal_amount: null, marginal_unknown: 'several_currencies', currency: null });
    expect(await access(await customer())).toMatchObject({ marginal_amount: null, marginal_unknown: 'no_subscription' });
  });

  it('asks by groups where prices do', async () => {
    const id = await customer({ plan: 'regional' });
    used.length = 0;
    use('mtr_calls', '2027-01-02T00:00:00Z', 100, { region: 'eu' });
    expect(await access(id)).toMatchObject({ allowed: true, limit: null, remaining: null, used: '100', marginal_amount: null, marginal_unknown: 'depends_on_group', currency: 'USD' });
    expect(await access(id, 'calls', { 'group[region]': 'eu' })).toMatchObject({ marginal_amount: '0.01', marginal_unknown: null });
    expect(await access(id, 'calls', { 'group[region]': 'us' })).toMatchObject({ marginal_amount: '0' }); // Each region has 100 included.
    const wrong = await readAccess.access({ organizationId, customer: id, feature: 'calls' }, { 'group[zone]': 'eu' });
    expect(wrong).toMatchObject({ ok: false, code: 'invalid_request', errors: [{ pointer: '/group[zone]', code: 'unknown_dimension' }] });
  });

  it('is a plain yes for what is simply on', async () => {
    const id = await customer({ plan: 'pro' });
    expect(await access(id, 'sso')).toMatchObject({ allowed: true, code: null, type: 'boolean', limit: null, used: null, remaining: null, resets_at: null, marginal_amount: '0', fresh_as_of: null });
    expect(await access(id, 'seats')).toMatchObject({ allowed: false, code: 'no_entitlement' });
  });

  it('knows no customer, feature or organization but its own', async () => {
    const id = await customer({ plan: 'pro' });
    for (const at of [{ customer: 'cus_none', feature: 'calls' }, { customer: id, feature: 'none' }]) expect(await readAccess.access({ organizationId, ...at }, {})).toMatchObject({ ok: false, code: 'not_found' });
    expect(await readAccess.access({ organizationId: 'org_b', customer: id, feature: 'calls' }, {})).toMatchObject({ ok: false, code: 'not_found' });
    expect(await readAccess.entitlements({ organizationId: 'org_b', customer: id })).toMatchObject({ ok: false, code: 'not_found' });
  });
});

describe('answers from what was read a moment ago', () => {
  const ask = async (id: string) => {
    const outcome = await holding.access({ organizationId, customer: id, feature: 'calls' }, {});
    return outcome.ok ? toAccessBody(outcome.value) : expect.unreachable(outcome.detail);
  };
  const queriesOf = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
    const before = queries;
    return [await work(), queries - before];
  };

  it('are at most a second old, and read again before that while they are asked for', async () => {
    const id = await customer({ plan: 'free' });
    used.length = 0;
    use('mtr_calls', '2027-01-02T00:00:00Z');
    expect(await queriesOf(() => ask(id))).toMatchObject([{ used: '1' }, 1]);
    use('mtr_calls', '2027-01-02T00:00:00Z');
    elapsedMs += 499;
    expect(await queriesOf(() => ask(id))).toMatchObject([{ used: '1' }, 0]);
    elapsedMs += 1;
    expect(await ask(id)).toMatchObject({ used: '1' }); // And what is read meanwhile answers next.
    await expect.poll(async () => (await ask(id)).used).toBe('2');
    use('mtr_calls', '2027-01-02T00:00:00Z');
    elapsedMs += 1_000;
    expect(await queriesOf(() => ask(id))).toMatchObject([{ used: '3' }, 1]);
  });

  it('have every change of a subscription and of the test clock 50 ms after it, and what gives more at once', async () => {
    const id = await customer({ plan: 'free' });
    used.length = 0;
    use('mtr_calls', '2027-01-02T00:00:00Z', 10);
    expect(await ask(id)).toMatchObject({ allowed: false, code: 'quota_exceeded', plan_version: 1 });
    await admin.query(`update subscriptions set plan_version = 2, revision = revision + 1 where customer_id = $1`, [id]);
    expect(await ask(id)).toMatchObject({ allowed: true, limit: '12', plan_version: 2 });
    await setClock('2027-02-15T12:00:00Z');
    elapsedMs += 50;
    expect(await ask(id)).toMatchObject({ used: '0' });
    await setClock('2027-01-15T12:00:00Z');
    await admin.query(`update subscriptions set cancel_at = '2027-01-15T12:00:00Z', revision = revision + 1 where customer_id = $1`, [id]);
    expect(await ask(id)).toMatchObject({ allowed: true, used: '0' });
    elapsedMs += 50;
    expect(await ask(id)).toMatchObject({ allowed: false, code: 'subscription_inactive' });
    const none = await customer();
    expect(await ask(none)).toMatchObject({ code: 'no_entitlement' });
    await admin.query(`insert into subscriptions (id, organization_id, customer_id, plan_id, plan_version, start_at, billing_anchor, currency, time_zone, collection, created_at)
      values ('sub_new', 'org_a', $1, 'plan_free', 1, '2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z', 'USD', 'UTC', 'automatic', now())`, [none]);
    expect(await ask(none)).toMatchObject({ code: 'quota_exceeded', plan_key: 'free' });
  });

  it('have the test clock at each question while it is on its way', async () => {
    const id = await customer({ plan: 'free' });
    used.length = 0;
    use('mtr_calls', '2027-01-02T00:00:00Z', 3);
    await admin.query(`update test_clocks set status = 'advancing', target = '2027-02-15T12:00:00Z'`);
    expect([(await ask(id)).used, (await ask(id)).used]).toEqual(['3', '3']);
    await admin.query(`update test_clocks set status = 'ready', target = null, now = '2027-02-15T12:00:00Z'`);
    expect(await ask(id)).toMatchObject({ used: '0' });
    await setClock('2027-01-15T12:00:00Z');
    elapsedMs += 50;
  });

  it('are read together for all customers who are asked about, and so are their subscriptions', async () => {
    const ids: string[] = [];
    while (ids.length < 20) ids.push(await customer({ plan: 'pro' }));
    used.length = 0;
    use('mtr_calls', '2027-01-02T00:00:00Z', 150);
    const all = () => Promise.all(ids.map(ask));
    // The first by itself, then all others: each time what is used, and what the price says of it.
    expect((await queriesOf(all))[1]).toBe(4);
    elapsedMs += 500;
    use('mtr_calls', '2027-01-02T00:00:00Z', 50);
    const [answers, renewals] = await queriesOf(async () => {
      const held = await all();
      await expect.poll(async () => (await all()).every((answer) => answer.used === '200')).toBe(true);
      return held;
    });
    // What is at hand answers, and all that was in use is read anew by two groups at most: whoever triggered it, and the rest.
    expect([new Set(answers.map((answer) => answer.used)), renewals]).toEqual([new Set(['150']), 4]);
    elapsedMs += 500;
    await expect.poll(async () => new Set((await all()).map((answer) => answer.used))).toEqual(new Set(['200']));
  });

  it('last until they are a second old where usage can not be read, and then there is no answer', async () => {
    const id = await customer({ plan: 'free' });
    used.length = 0;
    use('mtr_calls', '2027-01-02T00:00:00Z', 4);
    expect(await ask(id)).toMatchObject({ used: '4' });
    isAway = true;
    for (const waitMs of [600, 399]) {
      elapsedMs += waitMs;
      expect(await ask(id)).toMatchObject({ allowed: true, used: '4' });
    }
    elapsedMs += 1;
    await expect(ask(id)).rejects.toMatchObject({ code: 'usage_unavailable' });
    isAway = false;
    expect(await ask(id)).toMatchObject({ allowed: true, used: '4' });
  });

  it('are not held of what fails, and one that fails hurts no other', async () => {
    const [broken, whole] = [await customer({ plan: 'free' }), await customer({ plan: 'free' })];
    used.length = 0;
    await admin.query(`update subscriptions set plan_version = 1, changes = '[{"at": "no instant"}]' where customer_id = $1`, [broken]);
    const answers = await Promise.allSettled([whole, broken, whole].map((id) => ask(id)));
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await admin.query(`update subscriptions set changes = '[]' where customer_id = $1`, [broken]);
    expect(await ask(broken)).toMatchObject({ allowed: true });
  });

  it('are read twice at most for many who ask at a time', async () => {
    const id = await customer({ plan: 'free' });
    const [answers, read] = await queriesOf(() => Promise.all(Array.from({ length: 50 }, () => ask(id))));
    expect([answers.length, read]).toEqual([50, 2]);
  });

  it('never say more remaining than the stores did within the last second', async () => {
    const id = await customer({ plan: 'free' });
    const steps = fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 700 }), value: fc.integer({ min: 0, max: 3 }) }), { minLength: 5, maxLength: 15 });
    await fc.assert(fc.asyncProperty(steps, async (story) => {
      used.length = 0;
      elapsedMs += 10_000;
      let total = 0;
      const history: { atMs: number; total: number }[] = [{ atMs: elapsedMs, total }];
      for (const { waitMs, value } of story) {
        elapsedMs += waitMs;
        total += value;
        use('mtr_calls', '2027-01-02T00:00:00Z', value);
        history.push({ atMs: elapsedMs, total });
        const answered = Number((await ask(id)).used);
        const aSecondAgo = history.findLast(({ atMs }) => atMs <= elapsedMs - 1_000)?.total ?? 0;
        expect(answered).toBeGreaterThanOrEqual(aSecondAgo);
        expect(answered).toBeLessThanOrEqual(total);
      }
    }), { numRuns: 20 });
  });
});

describe('GET /v1/customers/{id}/access/{feature}', () => {
  const principal = (scope: Scope): Principal => ({ organizationId, mode: 'test', credentialId: 'key_1', scopes: new Set([scope]) });
  const keys = new Map([['reader', principal('usage:read')], ['writer', principal('events:write')]]);
  const app = fastify();
  beforeAll(async () => {
    app.setErrorHandler((error, _request, reply) => sendProblem(reply, toProblem(error)));
    registerAccessRoute(app, { readAccess: holding, authenticator: { authenticate: (credential) => keys.get(credential) ?? null } });
    await app.ready();
  });
  afterAll(() => app.close());
  const get = async (url: string, key = 'reader') => {
    const response = await app.inject({ url, headers: { authorization: `Bearer ${key}` } });
    return { status: response.statusCode, type: response.headers['content-type'], text: response.body, body: response.json<{ code: string; errors?: { pointer: string; code: string }[] }>() };
  };

  it('answers as the use case does, by id and key, with the same text while nothing changed', async () => {
    const id = await customer({ plan: 'pro' });
    used.length = 0;
    use('mtr_calls', '2027-01-02T00:00:00Z', 1_200);
    const first = await get(`/v1/customers/${id}/access/calls?quantity=3`);
    expect(first).toMatchObject({ status: 200, type: 'application/json; charset=utf-8', body: { allowed: true, used: '1200', quantity: '3', marginal_amount: '0.03' } });
    expect(first.body).toEqual(await access(id, 'calls', { quantity: '3' }));
    expect((await get(`/v1/customers/${id}/access/calls?quantity=3`)).text).toBe(first.text);
    expect((await get(`/v1/customers/${id}/access/calls`)).body).toMatchObject({ quantity: '1', marginal_amount: '0.01' }); // 1 × 0.01
    expect((await get(`/v1/customers/c${made}/access/feat_calls?quantity=2`)).body).toMatchObject({ customer: id, feature: 'feat_calls', marginal_amount: '0.02' });
  });

  it.each([
    ['an unknown customer', '/v1/customers/none/access/calls', 'reader', 404, 'not_found', []],
    ['an unknown feature', '/v1/customers/c1/access/none', 'reader', 404, 'not_found', []],
    ['a name that no store can keep', '/v1/customers/c%00/access/calls', 'reader', 404, 'not_found', []],
    ['no key', '/v1/customers/c1/access/calls', '', 401, 'unauthorized', []],
    ['a key without the scope', '/v1/customers/c1/access/calls', 'writer', 403, 'scope_missing', []],
    ['every fault of a query', '/v1/customers/c1/access/calls?quantity=-1&what=1', 'reader', 422, 'invalid_request', ['/quantity', '/what']],
    ['an unknown dimension', '/v1/customers/c1/access/calls?group%5Bzone%5D=a', 'reader', 422, 'invalid_request', ['/group[zone]']],
  ])('refuses %s', async (_name, url, key, status, code, pointers) => {
    const { body, ...answer } = await get(url, key);
    expect([answer.status, answer.type, body.code, (body.errors ?? []).map(({ pointer }) => pointer).toSorted()]).toEqual([status, 'application/problem+json; charset=utf-8', code, pointers]);
  });
});

describe('the entitlements of a customer', () => {
  it('are each feature once, read with one query for each meter', async () => {
    const id = await customer({ plan: 'free' }, { plan: 'pro' }, { plan: 'daily' });
    used.length = 0;
    use('mtr_calls', '2027-01-02T00:00:00Z', 7);
    queries = 0;
    const outcome = await readAccess.entitlements({ organizationId, customer: id });
    const { data, ...rest } = outcome.ok ? toEntitlementsBody(outcome.value) : expect.unreachable(outcome.detail);
    expect(queries).toBe(2);
    expect(rest).toEqual({ has_more: false, customer: id, fresh_as_of: '2027-06-01T00:00:00Z' });
    expect(data.map(({ feature_key: key, plan_key: plan, used: value, limit }) => [key, plan, value, limit])).toEqual([['calls', 'pro', '7', '1000'], ['seats', 'free', '0', '3'], ['sso', 'pro', null, null]]);
  });

  it('are none without a subscription', async () => {
    expect(await readAccess.entitlements({ organizationId, customer: await customer() })).toMatchObject({ ok: true, value: { grants: [], freshAsOf: null } });
  });
});
