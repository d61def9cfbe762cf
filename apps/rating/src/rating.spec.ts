import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeUsageRatedRecord } from '#contracts';
import { Database, findOrganization, findStaleRatings, findStaleRatingsAmong, markRatingDue, migrateDatabase, readRatedPeriods, readRatedUsage, saveRatedPeriods, type RatedDay } from '#persistence';
import { systemClock, type JobQueue, type NewJob } from '#platform';
import { usePostgres, type TestDatabase } from '#testing';
import type { AwaitUsageChanges } from './await-usage-changes.js';
import { RateClosedPeriods } from './rate-closed-periods.js';
import { RateFinalPeriods } from './rate-final-periods.js';
import { RateOpenPeriods } from './rate-open-periods.js';
import { RatePeriods } from './rate-periods.js';
import { SendDueRatings } from './send-due-ratings.js';
import type { SliceEvents, UsageSlices } from './usage-slices.js';

// Goal: which periods are rated, when, and that a final one stands. Method: a real database; metered usage is given per day,
// 10 requests on each, so that expectations need no aggregator.

const postgres = usePostgres();
const at = (text: string): Temporal.Instant => Temporal.Instant.from(text);
const organizationId = 'org_a';
let server: TestDatabase;
let database: Database;
let admin: pg.Client;
let perDay = 10;

const usage: UsageSlices = {
  readSlices: async ({ slices }) => ({
    freshAsOf: at('2027-06-01T00:00:00Z'),
    rows: slices.flatMap(({ ref, from, ends }) =>
      ends.map((end) => ({ ref, end, group: {}, value: String(Math.round((end.epochMilliseconds - from.epochMilliseconds) / 86_400_000) * perDay) })),
    ),
  }),
};

/** The plan has no price that looks at single events. */
const events: SliceEvents = {
  readEvents: async () => expect.unreachable('No price looks at events.'),
  readStated: async () => expect.unreachable('No price looks at events.'),
};

class CollectedJobs implements JobQueue {
  readonly added: { queue: string; job: NewJob }[] = [];
  async add(queue: string, jobs: readonly NewJob[]): Promise<void> {
    this.added.push(...jobs.map((job) => ({ queue, job })));
  }
  async work(): Promise<{ close(): Promise<void> }> {
    return { close: async () => undefined };
  }
  async close(): Promise<void> {}
}

beforeAll(async () => {
  server = await postgres.freshDatabase({ template: { name: 'migrated', prepare: async (url) => void (await migrateDatabase(url)) } });
  database = await Database.open({ url: server.url, role: 'rating', poolSizeMax: 4 });
  admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  const prices = JSON.stringify([
    { id: 'price_base', key: 'base', name: 'Base', type: 'recurring', model: { type: 'flat', amount: '31' } },
    { id: 'price_req', key: 'requests', name: 'Requests', type: 'usage', meter: 'requests', included_units: '100', model: { type: 'per_unit', unit_amount: '0.1' } },
  ]);
  await admin.query(`
    insert into organizations (id, name, mode, invoice_prefix, created_at) values ('org_a', 'A', 'test', 'A', now()), ('org_b', 'B', 'test', 'B', now());
    insert into test_clocks (organization_id, now) values ('org_a', '2027-02-11T12:00:00Z');
    insert into meters (id, organization_id, key, name, event_type, aggregation, created_at) values ('mtr_a', 'org_a', 'requests', 'Requests', 'r', 'count', now());
    insert into plans (id, organization_id, key, name, latest_version, created_at) values ('plan_a', 'org_a', 'growth', 'Growth', 1, now());
    insert into customers (id, organization_id, key, name, time_zone, currency, created_at) values ('cus_a', 'org_a', 'acme', 'Acme', 'UTC', 'USD', now());
  `);
  await admin.query(`insert into plan_versions (plan_id, version, organization_id, currency, billing_period, prices, created_at) values ('plan_a', 1, 'org_a', 'USD', 'P1M', $1, now())`, [prices]);
  await admin.query(`
    insert into subscriptions (id, organization_id, customer_id, plan_id, plan_version, start_at, billing_anchor, currency, time_zone, collection, created_at)
    values ('sub_a', 'org_a', 'cus_a', 'plan_a', 1, '2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z', 'USD', 'UTC', 'automatic', now())`);
}, 60_000);

afterAll(async () => {
  await database?.close();
  await admin?.end();
});

const awaitChanges = { execute: () => Promise.resolve(true) } as AwaitUsageChanges;
const ratePeriods = () => new RatePeriods({ database, usage, events, clock: systemClock });
const rateClosed = () => new RateClosedPeriods({ database, ratePeriods: ratePeriods() });
const rateOpen = () => new RateOpenPeriods({ database, ratePeriods: ratePeriods(), rateClosed: rateClosed(), clock: systemClock }).execute({ organizationId, subscriptionIds: ['sub_a'] });
const report = (groupBy: ('customer' | 'plan' | 'price' | 'day')[]) =>
  database.inOrganization(organizationId, async (manager) =>
    readRatedUsage(manager, { from: at('2027-01-01T00:00:00Z'), to: at('2027-03-01T00:00:00Z'), groupBy, rowsMax: 1_000 }));

describe('rating open periods', () => {
  it('finds a new subscription and asks for its rating', async () => {
    const jobs = new CollectedJobs();
    const found = await new SendDueRatings({ database, jobs, clock: systemClock, patience: { quietMs: 0, waitMaxMs: 0 } }).execute();
    expect(found).toBe(1);
    expect(jobs.added).toEqual([
      { queue: 'rating', job: { name: 'rate-open', payload: { organizationId, subscriptionIds: ['sub_a'] }, deduplicationId: 'rate-open_sub_a_1' } },
    ]);
  });

  it('rates the ended and the current period in business time, and nothing of the days to come', async () => {
    await rateOpen();
    // January: 310 requests, 100 free: 210 × 0.1 = 21.00. February until the 11th: 110 requests, 10 paid: 1.00. Base fees 31.00 each.
    expect(await report(['price'])).toEqual([
      { price: { id: 'price_base', key: 'base' }, quantity: '2', amountMinor: 6200n, currency: 'USD', state: 'open' },
      { price: { id: 'price_req', key: 'requests' }, quantity: '420', amountMinor: 2200n, currency: 'USD', state: 'open' },
    ]);
    const days = await report(['day']);
    expect(days.at(-1)?.day).toBe('2027-02-11');
    expect(days.find(({ day }) => day === '2027-01-11')?.amountMinor).toBe(100n); // 110 requests so far: the first ten paid.
  });

  it('reports the days that start in the range, to the microsecond', async () => {
    const daysOf = async (from: string, to: string) => (await database.inOrganization(organizationId, async (manager) =>
      readRatedUsage(manager, { from: at(from), to: at(to), groupBy: ['day'], price: 'requests', rowsMax: 1_000 }))).map(({ day }) => day);
    expect(await daysOf('2027-01-30T00:00:00Z', '2027-02-02T00:00:00Z')).toEqual(['2027-01-30', '2027-01-31', '2027-02-01']);
    expect(await daysOf('2027-01-30T00:00:00.000001Z', '2027-02-02T00:00:00.000001Z')).toEqual(['2027-01-31', '2027-02-01', '2027-02-02']);
    expect(await daysOf('2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z')).toEqual([]);
    expect(await daysOf('2027-02-11T00:00:00.000001Z', '2027-03-11T00:00:00Z')).toEqual([]); // Nothing is rated of days to come.
  });

  it('is settled until something changes, and again due for what changed meanwhile', async () => {
    const stale = () => database.acrossOrganizations(async (manager) => findStaleRatings(manager, { quietMs: 0, waitMaxMs: 0, now: systemClock.now(), limit: 10 }));
    expect(await stale()).toEqual([]);
    await database.inOrganization(organizationId, async (manager) => markRatingDue(manager, { organizationId, subscriptionIds: ['sub_a'], at: systemClock.now() }));
    expect(await stale()).toHaveLength(1);
    await rateOpen();
    expect(await stale()).toEqual([]);
  });

  it('passes over what another block of the queue has rated meanwhile', async () => {
    const written = async () => (await admin.query<{ row: string }>(`select period_index || ' by ' || xmin as row from rated_periods where subscription_id = 'sub_a' order by 1`)).rows;
    const mark = () => database.inOrganization(organizationId, async (manager) => markRatingDue(manager, { organizationId, subscriptionIds: ['sub_a'], at: systemClock.now() }));
    await mark();
    await rateOpen();
    const once = await written();
    expect(once).toHaveLength(2);
    await rateOpen();
    expect(await written()).toEqual(once);
    await mark();
    await rateOpen();
    for (const row of once) expect(await written()).not.toContainEqual(row);
  });

  it('sums fractional quantities to their shortest form', async () => {
    perDay = 0.125;
    await database.inOrganization(organizationId, async (manager) => markRatingDue(manager, { organizationId, subscriptionIds: ['sub_a'], at: systemClock.now() }));
    await rateOpen();
    perDay = 10;
    // 31 + 11 days: 42 × 0.125 = 5.25, all of it free.
    expect(await report(['price'])).toMatchObject([{ quantity: '2' }, { quantity: '5.25', amountMinor: 0n }]);
  });

  it('shows another organization nothing', async () => {
    const seen = await database.inOrganization('org_b', async (manager) =>
      readRatedPeriods(manager, [{ subscriptionId: 'sub_a', periodIndex: 1 }]));
    expect(seen).toEqual([]);
  });

  it('writes the days of prices that changed, leaves the others as they are, and takes away those that are gone', async () => {
    const day = (priceId: string, date: string, amountMinor: bigint): RatedDay =>
      ({ priceId, priceKey: priceId, day: date, dayStart: at(`${date}T00:00:00Z`), quantity: '1', amountMinor, currency: 'USD' });
    const period = {
      organizationId, subscriptionId: 'sub_a', periodIndex: 50, customerId: 'cus_a', planId: 'plan_a', planVersion: 1, rounding: 'half_even' as const,
      start: at('2031-01-01T00:00:00Z'), end: at('2031-02-01T00:00:00Z'), isFinal: false, completeAsOf: at('2031-01-03T00:00:00Z'), ratedAt: at('2031-01-03T00:00:00Z'), lines: [],
    };
    const save = async (generation: bigint, days: readonly RatedDay[]) => {
      await database.inOrganization(organizationId, async (manager) => saveRatedPeriods(manager, [{ ...period, generation, days }]));
      const { rows } = await admin.query<{ days: string; written_by: string }>(
        `select price_id || ' ' || array_to_string(days, ' ') || ': ' || array_to_string(amounts_minor, ' ') || ', ' || array_to_string(quantities, ' ') as days, xmin::text as written_by
         from rated_days where period_index = 50 order by price_id`);
      return rows;
    };
    const first = await save(1n, [day('a', '2031-01-01', 1n), day('a', '2031-01-02', 2n), day('b', '2031-01-01', 3n), day('c', '2031-01-01', 4n)]);
    expect(first.map((row) => row.days)).toEqual(['a 2031-01-01 2031-01-02: 1 2, 1 1', 'b 2031-01-01: 3, 1', 'c 2031-01-01: 4, 1']);
    const second = await save(2n, [day('a', '2031-01-01', 1n), day('a', '2031-01-02', 20n), day('a', '2031-01-03', 5n), day('b', '2031-01-01', 3n)]);
    expect(second.map((row) => row.days)).toEqual(['a 2031-01-01 2031-01-02 2031-01-03: 1 20 5, 1 1 1', 'b 2031-01-01: 3, 1']);
    expect(second[0]?.written_by).not.toBe(first[0]?.written_by);
    expect(second[1]?.written_by).toBe(first[1]?.written_by);
    expect(await save(1n, [day('a', '2031-01-01', 9n)])).toEqual(second); // An older rating changes nothing.
    expect(await save(3n, [])).toEqual([]);
    await admin.query('delete from rated_periods where period_index = 50');
  });
});

describe('rating for the last time', () => {
  const rateFinal = (jobs: JobQueue) =>
    new RateFinalPeriods({ database, ratePeriods: ratePeriods(), rateClosed: rateClosed(), awaitChanges, jobs, clock: systemClock }).execute({
      organizationId,
      periods: [{ subscriptionId: 'sub_a', periodIndex: 1, start: '2027-01-01T00:00:00Z', end: '2027-02-01T00:00:00Z' }],
    });

  it('stores the period, tells invoicing, and is not changed by what comes later', async () => {
    const jobs = new CollectedJobs();
    await rateFinal(jobs);
    expect(jobs.added.map(({ queue, job }) => [queue, job.name])).toEqual([['invoicing', 'sweep']]);
    perDay = 20;
    await new RateFinalPeriods({ database, ratePeriods: { execute: async ({ periods }) => periods.length === 0 ? [] : expect.unreachable('What is final is not read again.') }, rateClosed: rateClosed(), awaitChanges, jobs, clock: systemClock })
      .execute({ organizationId, periods: [{ subscriptionId: 'sub_a', periodIndex: 1, start: '2027-01-01T00:00:00Z', end: '2027-02-01T00:00:00Z' }] });
    expect(jobs.added).toHaveLength(2);
    await rateOpen();
    const [january] = await database.inOrganization(organizationId, async (manager) => readRatedPeriods(manager, [{ subscriptionId: 'sub_a', periodIndex: 1 }]));
    expect(january).toMatchObject({ isFinal: true });
    expect(january?.lines.map(({ ref, kind, quantity, amountMinor }) => [ref, kind, quantity, amountMinor])).toEqual([
      ['base/all', 'advance', '1', 3100n],
      ['requests/all', 'usage', '310', 2100n],
    ]);
    // February is open and follows: 220 requests, 120 paid.
    expect(await report(['price'])).toEqual([
      { price: { id: 'price_base', key: 'base' }, quantity: '1', amountMinor: 3100n, currency: 'USD', state: 'closed' },
      { price: { id: 'price_base', key: 'base' }, quantity: '1', amountMinor: 3100n, currency: 'USD', state: 'open' },
      { price: { id: 'price_req', key: 'requests' }, quantity: '310', amountMinor: 2100n, currency: 'USD', state: 'closed' },
      { price: { id: 'price_req', key: 'requests' }, quantity: '220', amountMinor: 1200n, currency: 'USD', state: 'open' },
    ]);
  });

  it('keeps each rating that was stored as a fact for the log, the final one once', async () => {
    const { rows } = await admin.query<{ organization_id: string; topic: string; value: string }>('select * from rating_facts order by id');
    expect(new Set(rows.map(({ organization_id: organization, topic }) => `${organization} ${topic}`))).toEqual(new Set(['org_a tollway.usage-rated', 'org_a tollway.usage-thresholds']));
    const records = rows.filter(({ topic }) => topic === 'tollway.usage-rated').map(({ value }) => decodeUsageRatedRecord(value)).filter(({ period }) => period.from === '2027-01-01T00:00:00Z');
    expect(records.map(({ final }) => final)).toEqual([...records.slice(1).map(() => false), true]);
    // 310 requests, 210 paid at 0.1: 21.00, with the base fee of 31.00.
    expect(records.at(-1)).toMatchObject({
      v: 1, organization: 'org_a', subscription: 'sub_a', customer: 'cus_a', plan: 'plan_a', plan_version: 1, period_index: 1, period: { to: '2027-02-01T00:00:00Z' },
      currency: 'USD', total: '52.00',
      lines: [{ ref: 'base/all', kind: 'advance', quantity: '1', amount: '31.00' }, { ref: 'requests/all', price: 'price_req', price_key: 'requests', kind: 'usage', quantity: '310', amount: '21.00' }],
    });
  });
});

describe('usage that comes after the last rating', () => {
  const settled = () => database.inOrganization(organizationId, async (manager) => {
    const due: { rated: boolean }[] = await manager.query(`select generation = rated_generation and late_from is null as rated from rating_due where subscription_id = 'sub_a'`);
    return due[0]?.rated;
  });
  const mark = (lateFrom?: string) => database.inOrganization(organizationId, async (manager) =>
    markRatingDue(manager, { organizationId, subscriptionIds: ['sub_a'], at: systemClock.now(), ...(lateFrom === undefined ? {} : { lateFrom: at(lateFrom) }) }));
  const lateLines = async () => (await admin.query(
    `select price_key, quantity::text, amount_minor::text, late.generation = due.generation as current from late_rated_lines line
     join late_ratings late using (subscription_id, period_index) join rating_due due using (subscription_id) order by price_key`)).rows;

  it('leaves no trace where nothing of the closed period changed', async () => {
    perDay = 10;
    await mark('2027-01-15T00:00:00Z');
    await rateOpen();
    expect(await lateLines()).toEqual([]);
    expect(await settled()).toBe(true);
  });

  it('does not look at closed periods for usage of later ones', async () => {
    perDay = 20;
    await mark('2027-02-01T00:00:00Z');
    await rateOpen();
    expect(await lateLines()).toEqual([]);
  });

  it('has digests of its events only where it changes something', async () => {
    const proved: number[] = [];
    const proving = new RateClosedPeriods({ database, ratePeriods: { execute: async (command) => {
      const rated = await ratePeriods().execute(command);
      proved.push(...[...(await command.proving?.(rated) ?? rated)].map(({ periodIndex }) => periodIndex));
      return rated;
    } } });
    for (const [requests, expected] of [[10, []], [20, [1]]] as const) {
      perDay = requests;
      await mark('2027-01-15T00:00:00Z');
      await database.inOrganization(organizationId, async (manager) => {
        const { closed } = await proving.load(manager, ['sub_a']);
        const organization = await findOrganization(manager, organizationId);
        if (organization === null) throw new Error('The organization is there.');
        expect(closed.map(({ billing }) => billing.number)).toEqual([1]);
        await proving.rate(closed, { organization, generations: new Map() });
      });
      expect(proved).toEqual(expected);
    }
    perDay = 10;
    await rateOpen(); // January is as it was again.
  });

  it('is rated beside what was closed, which stays, and again when it goes back', async () => {
    perDay = 20;
    await mark('2027-01-31T23:59:59Z');
    await rateOpen();
    // 31 × 20 = 620, 100 free: 520 × 0.1.
    expect(await lateLines()).toEqual([{ price_key: 'requests', quantity: '620', amount_minor: '5200', current: true }]);
    const closed = (await report(['price', 'day'])).filter(({ state, price }) => state === 'closed' && price?.key === 'requests');
    expect(closed.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)).toBe(2100n);
    perDay = 10;
    await mark('2027-01-01T00:00:00Z');
    await rateOpen();
    expect(await lateLines()).toEqual([{ price_key: 'requests', quantity: '310', amount_minor: '2100', current: true }]);
    expect(await settled()).toBe(true);
  });

  it('keeps the rounding that its period was closed with', async () => {
    perDay = 10.95;
    await admin.query(`update organizations set rounding = 'half_even' where id = 'org_a'`);
    await mark('2027-01-15T00:00:00Z');
    await rateOpen();
    const { rows } = await admin.query(`select period_index, rounding from rated_periods where subscription_id = 'sub_a' order by 1`);
    expect(rows).toEqual([{ period_index: 1, rounding: 'half_away_from_zero' }, { period_index: 2, rounding: 'half_even' }]);
    // 31 × 10.95 = 339.45, 239.45 of them paid: 23.945, and half even would be 23.94.
    expect(await lateLines()).toMatchObject([{ quantity: '339.45', amount_minor: '2395' }]);
    await admin.query(`update organizations set rounding = 'half_away_from_zero' where id = 'org_a'`);
    perDay = 10;
    await mark('2027-01-15T00:00:00Z');
    await rateOpen();
  });

  it('is not lost where it is marked while the period is rated for the last time', async () => {
    await admin.query(`update test_clocks set now = '2027-03-02T00:00:00Z' where organization_id = 'org_a'`);
    const marking: UsageSlices = { readSlices: async (request) => {
      const read = await usage.readSlices(request);
      perDay = 30;
      await mark('2027-02-05T00:00:00Z');
      return read;
    } };
    const racing = new RatePeriods({ database, usage: marking, events, clock: systemClock });
    await new RateFinalPeriods({ database, ratePeriods: racing, rateClosed: rateClosed(), awaitChanges, jobs: new CollectedJobs(), clock: systemClock })
      .execute({ organizationId, periods: [{ subscriptionId: 'sub_a', periodIndex: 2, start: '2027-02-01T00:00:00Z', end: '2027-03-01T00:00:00Z' }] });
    await rateOpen();
    // 28 × 30 = 840, 740 of them paid; closed with 280, 180 of them paid. January stays as it was.
    expect(await lateLines()).toEqual([
      { price_key: 'requests', quantity: '310', amount_minor: '2100', current: false }, { price_key: 'requests', quantity: '840', amount_minor: '7400', current: true },
    ]);
  });

  it('is forgotten once a last rating has seen it, and is not what was marked of a later period meanwhile', async () => {
    await admin.query(`insert into subscriptions (id, organization_id, customer_id, plan_id, plan_version, start_at, billing_anchor, currency, time_zone, collection, created_at)
      values ('sub_b', 'org_a', 'cus_a', 'plan_a', 1, '2026-09-01T00:00:00Z', '2026-09-01T00:00:00Z', 'USD', 'UTC', 'automatic', now())`);
    const subscriptionIds = ['sub_b'];
    const markOther = (lateFrom: string) => database.inOrganization(organizationId, async (manager) => markRatingDue(manager, { organizationId, subscriptionIds, at: systemClock.now(), lateFrom: at(lateFrom) }));
    const settleOther = () => new RateOpenPeriods({ database, ratePeriods: ratePeriods(), rateClosed: rateClosed(), clock: systemClock }).execute({ organizationId, subscriptionIds });
    const lateFromAfter = async (period: { periodIndex: number; start: string; end: string }, meanwhile: () => Promise<void>) => {
      const racing = new RatePeriods({ database, usage: { readSlices: async (request) => { await meanwhile(); return usage.readSlices(request); } }, events, clock: systemClock });
      await new RateFinalPeriods({ database, ratePeriods: racing, rateClosed: rateClosed(), awaitChanges, jobs: new CollectedJobs(), clock: systemClock })
        .execute({ organizationId, periods: [{ subscriptionId: 'sub_b', ...period }] });
      return (await admin.query<{ late: string | null }>(`select to_char(late_from at time zone 'UTC', 'MM-DD') as late from rating_due where subscription_id = 'sub_b'`)).rows[0]?.late;
    };
    await settleOther();
    await markOther('2026-09-30T23:59:59Z');
    expect(await lateFromAfter({ periodIndex: 1, start: '2026-09-01T00:00:00Z', end: '2026-10-01T00:00:00Z' }, async () => undefined)).toBe(null);
    const october = { periodIndex: 2, start: '2026-10-01T00:00:00Z', end: '2026-11-01T00:00:00Z' };
    const november = { periodIndex: 3, start: '2026-11-01T00:00:00Z', end: '2026-12-01T00:00:00Z' };
    const december = { periodIndex: 4, start: '2026-12-01T00:00:00Z', end: '2027-01-01T00:00:00Z' };
    expect(await lateFromAfter(october, () => markOther('2026-11-01T00:00:00Z'))).toBe('11-01'); // November's: it stays where it was.
    await settleOther();
    expect(await lateFromAfter(november, () => markOther('2026-11-30T23:59:59Z'))).toBe('11-01');
    await settleOther();
    const settledMeanwhile = async (): Promise<void> => { await markOther('2026-12-05T00:00:00Z'); await settleOther(); await markOther('2027-01-05T00:00:00Z'); };
    expect(await lateFromAfter(december, settledMeanwhile)).toBe('12-01'); // The rating in between has taken the mark of 5 December with it.
    await admin.query(`delete from rated_periods where subscription_id = 'sub_b'; delete from rating_due where subscription_id = 'sub_b'; delete from subscriptions where id = 'sub_b'`);
  });
});

describe('usage that grows with time alone', () => {
  const clockAt = (now: string | null) => admin.query(`update test_clocks set now = $1 where organization_id = 'org_a'`, [now]);
  const behind = (now: string) => database.inOrganization(organizationId, async (manager) => (await findStaleRatingsAmong(manager, { subscriptionIds: ['sub_a'], now: at(now) })).length);
  const sent = (now: string) => new SendDueRatings({ database, jobs: new CollectedJobs(), clock: { ...systemClock, now: () => at(now) }, patience: { quietMs: 0, waitMaxMs: 0 } }).execute();
  const ratedUntil = async () => (await admin.query<{ until: string | null }>(`select to_char(rated_until at time zone 'UTC', 'DD HH24:MI') as until from rating_due`)).rows[0]?.until;

  it('is none where the meter counts events', async () => {
    expect(await ratedUntil()).toBe(null);
    await clockAt('2027-03-05T00:00:00Z');
    expect(await behind('2027-03-05T00:00:00Z')).toBe(0);
  });

  it('is behind for a reader once business time has gone on, and by itself after an hour', async () => {
    await admin.query(`update meters set aggregation = 'time_weighted_sum'`);
    await database.inOrganization(organizationId, async (manager) => markRatingDue(manager, { organizationId, subscriptionIds: ['sub_a'], at: systemClock.now() }));
    await rateOpen();
    expect(await ratedUntil()).toBe('05 00:00');
    expect(await behind('2027-03-05T00:00:00Z')).toBe(0);
    await clockAt('2027-03-05T01:00:00Z');
    expect(await behind('2027-03-05T01:00:00Z')).toBe(1);
    expect(await sent('2027-03-05T01:00:00Z')).toBe(0);
    await clockAt('2027-03-05T01:00:01Z');
    expect(await sent('2027-03-05T01:00:01Z')).toBe(1);
    expect(await sent('2027-03-05T01:00:01Z')).toBe(1); // Found once, and due until it is rated.
    await rateOpen();
    expect(await ratedUntil()).toBe('05 01:00');
    expect(await sent('2027-03-05T01:00:01Z')).toBe(0);
  });

  it('may be a minute behind on system time', async () => {
    await clockAt(null);
    expect(await behind('2027-03-05T01:01:01Z')).toBe(0);
    expect(await behind('2027-03-05T01:01:01.001Z')).toBe(1);
    expect(await sent('2027-03-05T02:00:01Z')).toBe(0);
    expect(await sent('2027-03-05T02:00:01.001Z')).toBe(1);
  });

  it('grows no more once the period is over', async () => {
    await admin.query(`update subscriptions set cancel_at = '2027-03-05T01:30:00Z', revision = revision + 1`);
    await clockAt('2027-03-06T00:00:00Z');
    await rateOpen();
    expect(await ratedUntil()).toBe(null);
    expect(await behind('2027-03-07T00:00:00Z')).toBe(0);
  });
});
