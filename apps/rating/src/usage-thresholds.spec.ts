import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeUsageThresholdRecord, topics } from '#contracts';
import { Database, markRatingDue, migrateDatabase, sendFacts } from '#persistence';
import { systemClock } from '#platform';
import { usePostgres, type TestDatabase } from '#testing';
import type { AwaitUsageChanges } from './await-usage-changes.js';
import { RateClosedPeriods } from './rate-closed-periods.js';
import { RateFinalPeriods } from './rate-final-periods.js';
import { RateOpenPeriods } from './rate-open-periods.js';
import { RatePeriods } from './rate-periods.js';
import type { SliceEvents, UsageSlices } from './usage-slices.js';

// Goal: each bound that usage crosses is told once, whatever the rating goes through. Method: a real database; what was used of the
// open period is set by hand, per group, and rated as often as a test likes. Every test has a subscription of its own.

const postgres = usePostgres();
const at = (text: string): Temporal.Instant => Temporal.Instant.from(text);
const [january, february] = ['2027-01-01T00:00:00Z', '2027-02-01T00:00:00Z'] as const;
const organizationId = 'org_a';
let server: TestDatabase;
let database: Database;
let admin: pg.Client;
let used: Readonly<Record<string, number>> = {};
let afterReading: () => Promise<void> = async () => undefined;

/** All that was used stands in the first instant of January. */
const usage: UsageSlices = {
  readSlices: async ({ slices, groupBy, meterId }) => {
    const mine = Object.entries(used).filter(([name]) => (meterId === 'mtr_regions') === name.startsWith('region '));
    const groups = mine.map(([name, value]) => ({ group: groupBy.length === 0 ? {} : { region: name.slice('region '.length) }, value: String(value) }));
    const rows = slices.flatMap(({ ref, from, ends }) => (from.equals(at(january)) ? ends.flatMap((end) => groups.map((each) => ({ ref, end, ...each }))) : []));
    await afterReading();
    return { freshAsOf: at('2027-06-01T00:00:00Z'), rows };
  },
};
const events: SliceEvents = {
  readEvents: async () => expect.unreachable('No price looks at events.'),
  readStated: async () => expect.unreachable('No price looks at events.'),
};

const prices = [
  { id: 'price_base', key: 'base', name: 'Base', type: 'recurring', model: { type: 'flat', amount: '31' } },
  {
    id: 'price_calls', key: 'calls', name: 'Calls', type: 'usage', meter: 'calls', included_units: '100', maximum_amount: '60',
    model: { type: 'graduated', tiers: [{ up_to: '50', unit_amount: '1', maximum_amount: '40' }, { up_to: null, unit_amount: '0.5' }] },
  },
  { id: 'price_regions', key: 'regions', name: 'Regions', type: 'usage', meter: 'regions', group_by: ['region'], included_units: '10', model: { type: 'per_unit', unit_amount: '1' } },
];
const addOnPrices = [{ id: 'price_boost', key: 'boost', name: 'Boost', type: 'usage', meter: 'calls', minimum_amount: '20', model: { type: 'per_unit', unit_amount: '0.1' } }];

beforeAll(async () => {
  server = await postgres.freshDatabase({ template: { name: 'migrated', prepare: async (url) => void (await migrateDatabase(url)) } });
  database = await Database.open({ url: server.url, role: 'rating', poolSizeMax: 4 });
  admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  await admin.query(`
    insert into organizations (id, name, mode, invoice_prefix, created_at) values ('org_a', 'A', 'test', 'A', now()), ('org_b', 'B', 'test', 'B', now());
    insert into test_clocks (organization_id, now) values ('org_a', '2027-01-11T12:00:00Z');
    insert into meters (id, organization_id, key, name, event_type, aggregation, created_at) values
      ('mtr_calls', 'org_a', 'calls', 'Calls', 'c', 'count', now()), ('mtr_regions', 'org_a', 'regions', 'Regions', 'r', 'count', now());
    insert into plans (id, organization_id, key, name, latest_version, created_at) values ('plan_a', 'org_a', 'growth', 'Growth', 1, now());
    insert into add_ons (id, organization_id, key, name, latest_version, created_at) values ('adn_boost', 'org_a', 'boost', 'Boost', 1, now());
    insert into customers (id, organization_id, key, name, time_zone, currency, created_at) values ('cus_a', 'org_a', 'acme', 'Acme', 'UTC', 'USD', now());
  `);
  await admin.query(`insert into plan_versions (plan_id, version, organization_id, currency, billing_period, prices, created_at) values ('plan_a', 1, 'org_a', 'USD', 'P1M', $1, now())`, [JSON.stringify(prices)]);
  await admin.query(
    `insert into add_on_versions (add_on_id, version, organization_id, name, currency, billing_period, prices, requires, created_at) values ('adn_boost', 1, 'org_a', 'Boost', 'USD', 'P1M', $1, '[]', now())`,
    [JSON.stringify(addOnPrices)]);
}, 60_000);

afterAll(async () => {
  await database?.close();
  await admin?.end();
});

beforeEach(async () => {
  used = {};
  afterReading = async () => undefined;
  await admin.query(`delete from rating_facts; update test_clocks set now = '2027-01-11T12:00:00Z'`);
});

async function subscribe(id: string, addOns: readonly unknown[] = []): Promise<void> {
  await admin.query(
    `insert into subscriptions (id, organization_id, customer_id, plan_id, plan_version, start_at, billing_anchor, currency, time_zone, collection, add_ons, created_at)
     values ($1, 'org_a', 'cus_a', 'plan_a', 1, $2, $2, 'USD', 'UTC', 'automatic', $3, now())`, [id, january, JSON.stringify(addOns)]);
}

const ratePeriods = () => new RatePeriods({ database, usage, events, clock: systemClock });
const rateClosed = () => new RateClosedPeriods({ database, ratePeriods: ratePeriods() });
const rateOpen = async (...subscriptionIds: string[]): Promise<void> => {
  await database.inOrganization(organizationId, async (manager) => markRatingDue(manager, { organizationId, subscriptionIds, at: systemClock.now() }));
  await new RateOpenPeriods({ database, ratePeriods: ratePeriods(), rateClosed: rateClosed(), clock: systemClock }).execute({ organizationId, subscriptionIds });
};
const rateFinal = async (subscriptionId: string): Promise<void> => {
  const awaitChanges = { execute: () => Promise.resolve(true) } as AwaitUsageChanges;
  const jobs = { add: async () => undefined, work: async () => expect.unreachable('Nobody works here.'), close: async () => undefined };
  await new RateFinalPeriods({ database, ratePeriods: ratePeriods(), rateClosed: rateClosed(), awaitChanges, jobs, clock: systemClock })
    .execute({ organizationId, periods: [{ subscriptionId, periodIndex: 1, start: january, end: february }] });
};
const factsOf = async (subscription: string) => {
  const { rows } = await admin.query<{ value: string }>('select value from rating_facts where topic = $1 order by id', [topics.usageThresholds]);
  return rows.map(({ value }) => decodeUsageThresholdRecord(value)).filter((fact) => fact.subscription === subscription);
};
const refsOf = async (subscription: string): Promise<string[]> => (await factsOf(subscription)).map(({ ref }) => ref);
const keptOf = async (subscription: string): Promise<number> => (await admin.query('select from crossed_thresholds where subscription_id = $1', [subscription])).rowCount ?? 0;

describe('thresholds that usage crosses', () => {
  it('are told with all that an alert needs, and written only where one is crossed', async () => {
    await subscribe('sub_told');
    used = { calls: 99 };
    await rateOpen('sub_told');
    expect([await factsOf('sub_told'), await keptOf('sub_told')]).toEqual([[], 0]);
    used = { calls: 100 };
    await rateOpen('sub_told');
    expect(await factsOf('sub_told')).toEqual([{
      v: 1, organization: 'org_a', subscription: 'sub_told', customer: 'cus_a', plan: 'plan_a', plan_version: 1, period_index: 1, period: { from: january, to: february },
      price: 'price_calls', price_key: 'calls', kind: 'included_units', ref: 'calls/all/included-units', tier: null, group: {}, bound: '100', quantity: '100', unrounded_amount: '0', currency: 'USD',
      at: '2027-01-11T12:00:00Z',
    }]);
  });

  it('are told once, however often the period is rated, and each of two that one rating crosses', async () => {
    await subscribe('sub_once');
    used = { calls: 151 };
    await rateOpen('sub_once');
    // 51 paid: 50×1, at most 40, and 1×0.5.
    const crossed = ['calls/all/included-units', 'calls/all/tier-1-maximum', 'calls/all/tier-2'];
    expect(await refsOf('sub_once')).toEqual(crossed);
    await rateOpen('sub_once');
    used = { calls: 180 };
    await rateOpen('sub_once');
    expect(await refsOf('sub_once')).toEqual(crossed);
    used = { calls: 190 }; // 90 paid: 40 + 40×0.5 = 60.
    await rateOpen('sub_once');
    expect(await refsOf('sub_once')).toEqual([...crossed, 'calls/maximum']);
  });

  it('are not told again where usage was taken back and comes again', async () => {
    await subscribe('sub_back');
    for (const calls of [120, 80, 120]) {
      used = { calls };
      await rateOpen('sub_back');
    }
    expect(await factsOf('sub_back')).toMatchObject([{ ref: 'calls/all/included-units', quantity: '120' }]);
  });

  it('belong to a group where the price is for each', async () => {
    await subscribe('sub_groups');
    used = { 'region eu': 10, 'region us': 9 };
    await rateOpen('sub_groups');
    expect(await factsOf('sub_groups')).toMatchObject([{ ref: 'regions/["eu"]/included-units', group: { region: 'eu' }, quantity: '10' }]);
    const long = 'x'.repeat(9_000); // Longer than an entry of an index.
    used = { 'region eu': 10, 'region us': 10, [`region ${long}`]: 10 };
    await rateOpen('sub_groups');
    expect((await factsOf('sub_groups')).map(({ group }) => group['region'])).toEqual(['eu', 'us', long]);
  });

  it("are an add-on's with its name before them, beside the plan's of the same meter", async () => {
    await subscribe('sub_boosted', [{ id: 'sao_1', addOnId: 'adn_boost', version: 1, steps: [{ at: january, quantity: '1', isImmediate: false, isProrated: true }], end: null }]);
    used = { calls: 200 }; // 200×0.1 = 20 of at least 20.
    await rateOpen('sub_boosted');
    expect(await factsOf('sub_boosted')).toMatchObject([...['included-units', 'tier-1-maximum', 'tier-2'].map((ref) => ({ ref: `calls/all/${ref}` })), { ref: 'calls/maximum' }, {
      ref: 'sao_1/boost/minimum', price: 'price_boost', kind: 'minimum', bound: '20', quantity: '200', unrounded_amount: '20',
    }]);
  });
});

describe('thresholds of periods that end', () => {
  it('are told by the last rating where no other has seen them, at the end of the period, and never of late usage', async () => {
    await subscribe('sub_ends');
    used = { calls: 50 };
    await rateOpen('sub_ends');
    await admin.query(`update test_clocks set now = '2027-02-03T00:00:00Z'`);
    used = { calls: 120 };
    await rateFinal('sub_ends');
    await rateFinal('sub_ends');
    expect((await factsOf('sub_ends')).map(({ ref, at: instant }) => [ref, instant])).toEqual([['calls/all/included-units', february]]);
    used = { calls: 500 };
    await database.inOrganization(organizationId, async (manager) => markRatingDue(manager, { organizationId, subscriptionIds: ['sub_ends'], at: systemClock.now(), lateFrom: at(january) }));
    await rateOpen('sub_ends');
    expect((await admin.query(`select from late_ratings where subscription_id = 'sub_ends'`)).rowCount).toBe(1);
    expect(await refsOf('sub_ends')).toEqual(['calls/all/included-units']);
  });

  it('are told by the first rating of an installation that was there before', async () => {
    await subscribe('sub_older');
    used = { calls: 120 };
    await rateOpen('sub_older');
    // As the upgrade finds it: the period was rated, and nothing is known of what it has reached.
    await admin.query(`delete from crossed_thresholds where subscription_id = 'sub_older'; delete from rating_facts`);
    await rateOpen('sub_older');
    await rateOpen('sub_older');
    expect(await refsOf('sub_older')).toEqual(['calls/all/included-units']);
  });
});

describe('telling what was crossed', () => {
  it('is undone with the rating where it ends in between', async () => {
    await subscribe('sub_cut');
    used = { calls: 120 };
    await admin.query(`
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'gone'; end $$;
      create trigger refuse before insert on rating_facts for each row when (new.topic = 'tollway.usage-thresholds') execute function refuse()`);
    await expect(rateOpen('sub_cut')).rejects.toThrow('gone');
    await admin.query('drop trigger refuse on rating_facts; drop function refuse');
    expect(await keptOf('sub_cut')).toBe(0);
    await rateOpen('sub_cut');
    expect(await refsOf('sub_cut')).toEqual(['calls/all/included-units']);
  });

  it('comes again where the log took it and the answer was lost', async () => {
    await subscribe('sub_again');
    used = { calls: 120 };
    await rateOpen('sub_again');
    const appended: string[] = [];
    const send = (isLost: boolean) => sendFacts({ database, table: 'rating_facts', log: { append: async (topic, records) => {
      if (topic !== topics.usageThresholds) return [];
      appended.push(...records.map(({ key, value }) => `${key} ${decodeUsageThresholdRecord(value).ref}`));
      if (isLost) throw new Error('lost');
      return [];
    } } });
    await expect(send(true)).rejects.toThrow('lost');
    await send(false);
    await send(false);
    expect(appended).toEqual(['org_a calls/all/included-units', 'org_a calls/all/included-units']);
  });

  it('is done by one of two ratings at once', async () => {
    await subscribe('sub_twice');
    used = { calls: 120 };
    await rateOpen('sub_twice');
    await admin.query('delete from rating_facts');
    used = { calls: 160 };
    const both = Promise.withResolvers<undefined>();
    let reading = 0;
    // Whoever reads last lets both go on.
    afterReading = async () => {
      reading += 1;
      if (reading === 2) both.resolve(undefined);
      await both.promise;
    };
    await Promise.all([rateOpen('sub_twice'), rateOpen('sub_twice')]);
    expect(await refsOf('sub_twice')).toEqual(['calls/all/tier-1-maximum', 'calls/all/tier-2']);
  });

  it('is for the organization alone', async () => {
    await subscribe('sub_own');
    used = { calls: 120 };
    await rateOpen('sub_own');
    const seenBy = (organization: string) => database.inOrganization(organization, async (manager): Promise<unknown[]> => manager.query(`select ref from crossed_thresholds where subscription_id = 'sub_own'`));
    expect([await seenBy('org_a'), await seenBy('org_b')]).toEqual([[{ ref: 'calls/all/included-units' }], []]);
  });
});
