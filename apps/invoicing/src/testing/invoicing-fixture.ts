import pg from 'pg';
import { lateUsageDefault, type LateUsage, type MinimumCommitment, type Price } from '#domain';
import { aggregatorGroup, topics } from '#contracts';
import { Database, migrateDatabase, readClockRun } from '#persistence';
import { makeIds, makeLogger, openPostgresEventLog, systemClock, type Clock, type PostgresEventLog } from '#platform';
import { freshDatabase } from '#testing';
import { invoicingUseCases, type InvoicingAdapters } from '../invoicing.module.js';
import type { ReadableInvoice } from '../read-drafts.js';
import { KeptJobs, RatingDouble } from './rating-double.js';

const migrated = { name: 'migrated', prepare: async (url: string): Promise<void> => void (await migrateDatabase(url)) };
const passesMax = 600;

export interface NewSubscription {
  readonly id: string;
  readonly customerId?: string;
  readonly startAt: string;
  readonly anchor?: string;
  readonly trialEndAt?: string;
  readonly timeZone?: string;
  readonly collection?: 'automatic' | 'send_invoice';
  readonly daysUntilDue?: number;
  readonly planId?: string;
  readonly minimumCommitment?: MinimumCommitment;
}

/** Invoicing on a real Postgres, with the other apps' rows written for it and the rating service played. */
export class InvoicingFixture {
  readonly jobs = new KeptJobs();
  readonly organizationId = 'org_a';

  private constructor(private readonly parts: { sql: pg.Client; database: Database; ratingDatabase: Database; log: PostgresEventLog; clock: Clock }) {}

  get sql(): pg.Client {
    return this.parts.sql;
  }

  get database(): Database {
    return this.parts.database;
  }

  get log(): PostgresEventLog {
    return this.parts.log;
  }

  static async open(options: { clock?: Clock; mode?: 'test' | 'live' } = {}): Promise<InvoicingFixture> {
    const { url } = await freshDatabase({ template: migrated });
    const sql = new pg.Client({ connectionString: url });
    await sql.connect();
    const database = await Database.open({ url, role: 'invoicing', poolSizeMax: 6 });
    const ratingDatabase = await Database.open({ url, role: 'rating', poolSizeMax: 2 });
    const log = openPostgresEventLog({ connectionString: url, clock: systemClock });
    for (const name of [topics.usageEvents, topics.usageChanged, topics.invoiceIssued]) await log.ensureTopic({ name, partitions: 1 });
    const fixture = new InvoicingFixture({ sql, database, ratingDatabase, log, clock: options.clock ?? systemClock });
    await sql.query(
      `insert into organizations (id, name, mode, invoice_prefix, is_bootstrap, created_at) values ('org_a', 'A', $1, 'ACME', true, now()), ('org_b', 'B', $1, 'B', false, now())`,
      [options.mode ?? 'test']);
    return fixture;
  }

  rating = (): RatingDouble => (this.ratingDouble ??= new RatingDouble(this.parts.ratingDatabase, this.jobs));
  private ratingDouble: RatingDouble | null = null;

  use(more: Partial<InvoicingAdapters> = {}) {
    return invoicingUseCases({
      database: this.database, log: this.log, jobs: this.jobs, clock: this.parts.clock, ids: makeIds(), logger: makeLogger({ name: 'test', level: 'silent' }),
      serverSecret: 'a secret of a test server', stripe: null, allowStripeBase: true, stripeRequestsPerSecond: 1_000, ...more,
    });
  }

  async plan(prices: readonly (Price & { id: string })[], options: { id?: string; currency?: string; billingPeriod?: string; lateUsage?: LateUsage } = {}): Promise<void> {
    const { id = 'plan_a', currency = 'USD', billingPeriod = 'P1M', lateUsage = lateUsageDefault } = options;
    await this.sql.query(`insert into plans (id, organization_id, key, name, latest_version, created_at) values ($1, 'org_a', $1 || '-key', 'Plan', 1, now())`, [id]);
    await this.sql.query(
      `insert into plan_versions (plan_id, version, organization_id, currency, billing_period, prices, late_usage, created_at) values ($1, 1, 'org_a', $2, $3, $4, $5, now())`,
      [id, currency, billingPeriod, JSON.stringify(prices), JSON.stringify(lateUsage)]);
  }

  async customer(id = 'cus_a', metadata: Record<string, string> = {}): Promise<void> {
    await this.sql.query(
      `insert into customers (id, organization_id, key, name, email, time_zone, created_at, metadata) values ($1, 'org_a', $1 || '-key', 'Customer', 'a@example.com', 'UTC', now(), $2)`,
      [id, JSON.stringify(metadata)]);
  }

  async subscribe(subscription: NewSubscription): Promise<void> {
    const { id, startAt, trialEndAt = null } = subscription;
    await this.sql.query(
      `insert into subscriptions (id, organization_id, customer_id, plan_id, plan_version, start_at, billing_anchor, trial_end_at, currency, time_zone, collection, days_until_due, minimum_commitment, created_at)
       select $1, 'org_a', $2, $3, 1, $4, $5, $6, currency, $7, $8, $9, $10, now() from plan_versions where plan_id = $3`,
      [
        id, subscription.customerId ?? 'cus_a', subscription.planId ?? 'plan_a', startAt, subscription.anchor ?? trialEndAt ?? startAt, trialEndAt,
        subscription.timeZone ?? 'UTC', subscription.collection ?? 'automatic', subscription.daysUntilDue ?? null, subscription.minimumCommitment === undefined ? null : JSON.stringify(subscription.minimumCommitment),
      ]);
    // Rating knows it and has nothing to do.
    await this.sql.query(
      `insert into rating_due (organization_id, subscription_id, generation, rated_generation, revision, first_marked_at, last_marked_at) values ('org_a', $1, 1, 1, 1000000, now(), now())`, [id]);
  }

  /** Puts it on other terms at once, as a change now does, or as one that was set for its instant before. */
  async change(id: string, change: { at: string; planId?: string; minimumCommitment?: MinimumCommitment | null; isProrated?: boolean; isImmediate?: boolean }): Promise<void> {
    await this.sql.query(
      `update subscriptions set revision = revision + 1, changes = changes || jsonb_build_array(jsonb_build_object('at', $2::text, 'plan_id', $3::text, 'plan_version', 1, 'billing_period', 'P1M',
         'billing_anchor', to_char(billing_anchor at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'prorated', $4::boolean, 'immediate', $6::boolean, 'quantities', '{}'::jsonb, 'overrides', '[]'::jsonb, 'minimum_commitment', $5::jsonb)) where id = $1`,
      [id, change.at, change.planId ?? 'plan_a', change.isProrated ?? true, JSON.stringify(change.minimumCommitment ?? null), change.isImmediate ?? true]);
  }

  async cancel(id: string, options: { at: string; prorate?: boolean }): Promise<void> {
    await this.sql.query(`update subscriptions set cancel_at = $2, cancel_prorate = $3, revision = revision + 1 where id = $1`, [id, options.at, options.prorate ?? true]);
  }

  /** Sets the organization's clock, standing. */
  async setClock(now: string): Promise<void> {
    await this.sql.query(
      `insert into test_clocks (organization_id, now) values ('org_a', $1) on conflict (organization_id) do update set now = excluded.now, target = null, status = 'ready'`, [now]);
  }

  /** Moves the clock as `advance` does, with both services at work; returns how many acts were done. */
  async advance(to: string, use = this.use()): Promise<number> {
    await this.beginAdvance(to);
    return this.finishAdvance(to, use);
  }

  async beginAdvance(to: string): Promise<void> {
    await this.sql.query(
      `insert into test_clocks (organization_id, target, status) values ('org_a', $1, 'advancing')
       on conflict (organization_id) do update set target = excluded.target, status = 'advancing'`, [to]);
  }

  async finishAdvance(to: string, use = this.use()): Promise<number> {
    for (let pass = 0; pass < passesMax; pass += 1) {
      await use.sweepDue.execute();
      const run = await this.database.inOrganization('org_a', (manager) => readClockRun(manager, 'org_a'));
      if (run?.target.equals(Temporal.Instant.from(to)) === true && run.doneAt !== null) {
        await this.sql.query(`update test_clocks set now = target, target = null, status = 'ready' where organization_id = 'org_a'`);
        return run.ran;
      }
      if ((await this.rating().runJobs()) === 0) await systemClock.sleep(20);
    }
    throw new Error('The clock does not arrive.');
  }

  /** Sweeps and rates until nothing is left to do at the instant at which the clock stands. */
  async settle(use = this.use()): Promise<void> {
    for (let pass = 0; pass < passesMax; pass += 1) {
      await use.sweepDue.execute();
      await use.pushOutbox.execute();
      const { rows } = await this.sql.query(
        `select 1 from due_acts act left join test_clocks clock using (organization_id) where act.done_at is null and act.due_at <= coalesce(clock.now, now())
         union all select 1 from payment_outbox where state in ('pending', 'unknown')
         union all select 1 from subscriptions left join billing_schedules on subscription_id = id where adopted_revision is null or adopted_revision < revision`);
      if (rows.length === 0) return;
      if ((await this.rating().runJobs()) === 0) await systemClock.sleep(20);
    }
    throw new Error('Work is left.');
  }

  /** All invoices, the one made first first. */
  async invoices(): Promise<ReadableInvoice[]> {
    const { items } = await this.use().findInvoices.list('org_a', {
      page: { limit: 100, startingAfter: null, endingBefore: null }, customer: undefined, subscriptionId: undefined, status: undefined, from: undefined, to: undefined,
    });
    return items.toReversed();
  }

  /** Says that usage was counted which is not rated yet. */
  async markRatingBehind(subscriptionId: string): Promise<void> {
    await this.sql.query('update rating_due set generation = generation + 1 where subscription_id = $1', [subscriptionId]);
  }

  async markRatingDone(subscriptionId: string): Promise<void> {
    await this.sql.query('update rating_due set rated_generation = generation where subscription_id = $1', [subscriptionId]);
  }

  /** Appends a usage event that nobody has counted, so that the log is not complete. */
  async appendUncounted(): Promise<void> {
    await this.log.append(topics.usageEvents, [{ key: 'k', value: '{"v":1}' }]);
  }

  /** Counts everything, as the aggregator would. */
  async countAll(): Promise<{ close(): Promise<void> }> {
    return this.log.subscribe({ topic: topics.usageEvents, group: aggregatorGroup, batchSizeMax: 100, handle: () => Promise.resolve() });
  }

  async close(): Promise<void> {
    await this.log.close();
    await this.database.close();
    await this.parts.ratingDatabase.close();
    await this.sql.end();
  }
}

type TestPrice = Partial<Price> & { readonly id: string; readonly amount: string };

export const flat = ({ id, amount, ...more }: TestPrice): Price & { id: string } => ({
  id, key: id.replace('price_', ''), name: id.replace('price_', 'Price '), type: 'recurring', model: { type: 'flat', amount }, ...more,
});

export const perUnit = ({ id, amount, ...more }: TestPrice): Price & { id: string } => ({
  id, key: id.replace('price_', ''), name: id.replace('price_', 'Price '), type: 'usage', meter: 'requests', model: { type: 'per_unit', unit_amount: amount }, ...more,
});

/** What an invoice says in one line: number, status, first and last day, amount due, and its lines. */
export function summary({ invoice, lines, totals }: ReadableInvoice): string {
  const day = (instant: Temporal.Instant): string => instant.toString().slice(0, 10);
  const shown = lines.map(({ kind, amountMinor }) => `${kind} ${amountMinor}`).join(', ');
  return `${invoice.number ?? 'draft'} ${invoice.status} ${day(invoice.periodStart)}/${day(invoice.periodEnd)} ${totals.amountDueMinor}: ${shown}`;
}

