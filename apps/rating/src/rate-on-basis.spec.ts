import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { billingPeriodAt } from '#domain';
import {
  ClickHouse, Database, EventStore, findOrganization, LineUsageReader, migrateClickHouse, migrateDatabase, readSubscribedPlans, readSubscriptions, scheduleOf, SliceEventReader, UsageReader,
  type EventOverride, type RatedPeriod,
} from '#persistence';
import { assert, systemClock, type EventLog } from '#platform';
import { freshClickHouseDatabase, useClickHouse, usePostgres } from '#testing';
import type { PeriodToRate } from './period-to-rate.js';
import { RateOnBasis } from './rate-on-basis.js';
import type { RatePeriodsCommand } from './rate-periods.js';
import type { SliceEvents, SliceRequest, UsageSlices } from './usage-slices.js';

// Goal: what is counted between the cut and the reading of a last rating is not in it, and nothing else is read again. Method: real stores; just before
// the fast reading begins, events, a void and an amendment from behind the cut are written as the aggregator writes them. A sum costs 0.10 a unit;
// of another meter of the same events each costs 2 % and 0.30. Break `changedSince`, and the first test fails.

const postgres = usePostgres();
useClickHouse();
const organizationId = 'org_a';
const at = (text: string): Temporal.Instant => Temporal.Instant.from(text);
const [january, february] = ['2027-01-01T00:00:00Z', '2027-02-01T00:00:00Z'].map(at) as [Temporal.Instant, Temporal.Instant];
const cut = new Map([[0, 100n]]);
const log = { completeAsOf: async () => february, nextPositions: async () => cut } as unknown as EventLog;

let admin: pg.Client;
let client: ClickHouseClient;
let database: Database;
let clickhouse: ClickHouse;

beforeAll(async () => {
  const [server, store] = await Promise.all([postgres.freshDatabase({ template: { name: 'migrated', prepare: async (url) => void (await migrateDatabase(url)) } }), freshClickHouseDatabase()]);
  client = createClient({ url: store.url, log: { level: ClickHouseLogLevel.OFF } });
  await migrateClickHouse(client, { database: store.database });
  clickhouse = new ClickHouse(client);
  database = await Database.open({ url: server.url, role: 'rating', poolSizeMax: 4 });
  admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  const prices = JSON.stringify([
    { id: 'price_units', key: 'units', name: 'Units', type: 'usage', meter: 'units', model: { type: 'per_unit', unit_amount: '0.1' } },
    { id: 'price_fees', key: 'fees', name: 'Fees', type: 'usage', meter: 'fees', model: { type: 'percentage', rate: '2', fixed_amount: '0.3' } },
  ]);
  await admin.query(`
    insert into organizations (id, name, mode, invoice_prefix, created_at) values ('org_a', 'A', 'test', 'A', now());
    insert into meters (id, organization_id, key, name, event_type, aggregation, value_path, created_at) values
      ('mtr_units', 'org_a', 'units', 'Units', 'call', 'sum', '$.n', now()), ('mtr_fees', 'org_a', 'fees', 'Fees', 'call', 'sum', '$.n', now());
    insert into plans (id, organization_id, key, name, latest_version, created_at) values ('plan_a', 'org_a', 'growth', 'Growth', 1, now());
    insert into customers (id, organization_id, key, name, time_zone, currency, created_at) values ('cus_acme', 'org_a', 'acme', 'Acme', 'UTC', 'USD', now()), ('cus_brook', 'org_a', 'brook', 'Brook', 'UTC', 'USD', now());
    insert into customer_subjects (id, organization_id, customer_id, subject, created_at) values ('1', 'org_a', 'cus_acme', 'acme', now()), ('2', 'org_a', 'cus_brook', 'brook', now());
  `);
  await admin.query(`insert into plan_versions (plan_id, version, organization_id, currency, billing_period, prices, created_at) values ('plan_a', 1, 'org_a', 'USD', 'P1M', $1, now())`, [prices]);
  await admin.query(`
    insert into subscriptions (id, organization_id, customer_id, plan_id, plan_version, start_at, billing_anchor, currency, time_zone, collection, created_at)
    select 'sub_' || key, 'org_a', id, 'plan_a', 1, '2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z', 'USD', 'UTC', 'automatic', now() from customers`);
}, 60_000);

afterAll(async () => {
  await database?.close();
  await admin?.end();
  await client?.close();
});

/** A counted event of one unit, by its place in the log. */
function counted(position: number, subject: string) {
  const hour = String(position % 24).padStart(2, '0');
  const [time, receivedAt] = [`2027-01-10T${hour}:00:00.000000Z`, '2027-01-31T00:00:00.000000Z'];
  return {
    organizationId, source: 'default', id: `${subject}-${position}`, type: 'call', subject, time, timeGiven: true, receivedAt, appendedAt: at(receivedAt), payloadHash: String(position).padStart(64, '0'),
    partition: 0, position: BigInt(position), data: '{"n":1}',
  };
}

async function write(events: readonly ReturnType<typeof counted>[], overrides: readonly EventOverride[] = []): Promise<void> {
  const judged = events.map((event) => ({ copy: { ...event, identityHash: event.position }, verdict: 'counted' as const }));
  await new EventStore(clickhouse).insert({ judged, overrides, keepSecondsOf: () => 86_400 });
}

/** The real readers, with something that happens right before the first reading of what is there by now; keeps what is read at a cut. */
function readers(meanwhile: () => Promise<void>) {
  const stores = { clickhouse, database, log };
  const [usage, events] = [new UsageReader({ ...stores, clock: systemClock }), new SliceEventReader(stores)];
  const again: string[] = [];
  let hasHappened = false;
  async function note<Request extends SliceRequest>(request: Request): Promise<Request> {
    assert(request.basis !== undefined, 'A last rating reads by a basis.');
    if (request.basis.cut !== null) again.push(...request.slices.map(({ customerId }) => `${request.meterId} ${customerId}`));
    else if (!hasHappened) await meanwhile();
    hasHappened = true;
    return request;
  }
  const noted: UsageSlices & SliceEvents = {
    readSlices: async (request) => usage.readSlices(await note(request)),
    readEvents: async (request) => events.readEvents(await note(request)),
    readStated: async (request) => events.readStated(await note(request)),
  };
  return { rate: new RateOnBasis({ database, log, usage: noted, events: noted, lineUsages: new LineUsageReader(stores), clock: systemClock }), again };
}

async function bothPeriods(): Promise<RatePeriodsCommand> {
  return database.inOrganization(organizationId, async (manager) => {
    const subscriptions = await readSubscriptions(manager, { ids: ['sub_acme', 'sub_brook'] });
    const plans = await readSubscribedPlans(manager, subscriptions);
    const organization = await findOrganization(manager, organizationId);
    assert(organization !== null, 'There is an organization.');
    const periods = subscriptions.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map((subscription): PeriodToRate => {
      const stages = plans.get(subscription.id) ?? [];
      const [plan] = stages;
      assert(plan !== undefined, 'A subscription has a plan.');
      const schedule = scheduleOf({ subscription, plan });
      const billing = billingPeriodAt(schedule, 1);
      assert(billing !== null && billing.period.start.equals(january), 'January is the first period.');
      return { subscription, plan, billing, schedule, stages };
    });
    return { organization, periods, now: february, isFinal: true, generations: new Map() };
  });
}

const amounts = (rated: readonly RatedPeriod[]) => rated.map(({ subscriptionId, lines }) => [subscriptionId, ...lines.map(({ priceKey, quantity, amountMinor, usage }) => `${priceKey} ${quantity} ${amountMinor} of ${usage?.events}`)]);
/** Ten units of Acme: 1.00, and ten times 0.02 + 0.30; five of Brook. */
const atTheCut = [['sub_acme', 'units 10 100 of 10', 'fees 10 320 of 10'], ['sub_brook', 'units 5 50 of 5', 'fees 5 160 of 5']];

it('rates a period again whose usage something from behind the cut was read with, and no other', async () => {
  const before = Array.from({ length: 15 }, (_, position) => counted(position, position < 10 ? 'acme' : 'brook'));
  await write(before);
  const { rate, again } = readers(async () => {
    const [voided, amended] = before.map((event) => ({ ...event, originalData: event.data })) as [EventOverride['event'], EventOverride['event']];
    await write([100, 101, 102].map((position) => counted(position, 'acme')), [
      { event: voided, kind: 'void', position: 103n, amendedData: null }, { event: amended, kind: 'amendment', position: 104n, amendedData: '{"n":5}' },
    ]);
  });
  const rated = await rate.execute(await bothPeriods());
  expect(amounts(rated)).toEqual(atTheCut);
  expect(again).toEqual(['mtr_units cus_acme', 'mtr_fees cus_acme']);
  // By now it is three more, one less and four more for another: 16 units. That is what the fast reading saw.
  const usage = await new UsageReader({ clickhouse, database, log, clock: systemClock }).readSlices({
    organizationId, meterId: 'mtr_units', exempt: null, groupBy: [], slices: [{ ref: 'acme', customerId: 'cus_acme', from: january, to: february, ends: [february] }], now: february,
  });
  expect(usage.rows.map(({ value }) => value)).toEqual(['16']);
  // And so it comes out for ever.
  for (const period of rated) {
    assert(period.basis !== undefined, 'A last rating keeps its basis.');
    const [same] = await rate.again({ ...(await bothPeriods()), periods: (await bothPeriods()).periods.filter(({ subscription }) => subscription.id === period.subscriptionId) }, period.basis);
    expect(same?.lines).toEqual(period.lines);
  }
});

it('reads nothing again where nothing came meanwhile', async () => {
  cut.set(0, 1_000n);
  const { rate, again } = readers(async () => undefined);
  // All is before the cut: 10 + 3 - 1 + 4 units. Of twelve events eleven are of one unit, and one is of five.
  expect(amounts(await rate.execute(await bothPeriods()))).toEqual([['sub_acme', 'units 16 160 of 12', 'fees 16 392 of 12'], atTheCut[1]]);
  expect(again).toEqual([]);
});
