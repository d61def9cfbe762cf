import { createHash } from 'node:crypto';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import pg from 'pg';
import { pino } from 'pino';
import { topics, usageEventKey, type MeterUsageQuery, type UsageCorrectionRecord, type UsageEventRecord } from '#contracts';
import { payloadHashInput, type Meter, type MeterDefinition } from '#domain';
import {
  ClickHouse, CorrectionStore, CountedEvents, Database, DeadLetterStore, EventReader, EventStore, IdentityIndex, migrateClickHouse, migrateDatabase, RollupStore, SliceEventReader, UsageReader, type MarkPatience,
} from '#persistence';
import { openPostgresEventLog, systemClock, type EventLog, type LogBatch, type LogRecord } from '#platform';
import { freshClickHouseDatabase, freshDatabase, type DatabaseTemplate } from '#testing';
import { BuildMeterRollups } from './build-meter-rollups.js';
import { ConsumeDeadLetters } from './consume-dead-letters.js';
import { ConsumeUsageBatch } from './consume-usage-batch.js';
import { CorrectCountedEvents } from './correct-counted-events.js';
import { DedupeWindows } from './dedupe-windows.js';
import { KnownIdentities } from './known-identities.js';
import { ListEvents } from './list-events.js';
import { ReadCustomerUsage } from './read-customer-usage.js';
import { ReadDeadLetters } from './read-dead-letters.js';
import { ReadMeterUsage } from './read-meter-usage.js';
import { RecomputeRollups } from './recompute-rollups.js';

const template: DatabaseTemplate = { name: 'migrated', prepare: async (url) => void (await migrateDatabase(url)) };

/** What a test says of an event; the rest follows. */
export interface TestEvent {
  readonly organization?: string;
  readonly id: string;
  readonly source?: string;
  readonly type?: string;
  readonly subject?: string;
  /** RFC 3339; without it the event takes its receipt. */
  readonly time?: string;
  readonly receivedAt?: string;
  /** JSON text, canonical. */
  readonly data?: string;
}

/** A void, or an amendment to this data (JSON text, canonical). */
export interface TestCorrection {
  readonly organization?: string;
  readonly id: string;
  readonly source?: string;
  readonly amend?: string;
  readonly void?: true;
  readonly receivedAt?: string;
  readonly reason?: string;
  readonly sealedBefore?: string;
}

type Told = TestEvent | TestCorrection | LogRecord;

/** The aggregator on stores of its own, driven batch by batch. */
export class AggregatorFixture {
  consume: ConsumeUsageBatch;
  /** Until then values of gauges last. */
  now = Temporal.Instant.from('2027-01-01T00:00:00Z');
  readonly usage: UsageReader;
  readonly sliceEvents: SliceEventReader;
  readonly readUsage: ReadMeterUsage;
  readonly readCustomer: ReadCustomerUsage;
  readonly listEvents: ListEvents;
  readonly readLetters: ReadDeadLetters;
  readonly deadLetters: DeadLetterStore;
  readonly build: BuildMeterRollups;

  private constructor(readonly parts: { client: ClickHouseClient; clickhouse: ClickHouse; database: Database; admin: pg.Pool; log: EventLog }) {
    const { clickhouse, database, log } = parts;
    this.consume = this.newConsumer();
    this.usage = new UsageReader({ clickhouse, database, log, clock: { ...systemClock, now: () => this.now } });
    this.sliceEvents = new SliceEventReader({ clickhouse, database, log });
    this.readUsage = new ReadMeterUsage({ database, usage: this.usage });
    this.readCustomer = new ReadCustomerUsage({ database, usage: this.usage });
    this.listEvents = new ListEvents({ database, events: new EventReader(clickhouse) });
    this.deadLetters = new DeadLetterStore(clickhouse);
    this.readLetters = new ReadDeadLetters(this.deadLetters);
    this.build = new BuildMeterRollups({ database, rollups: new RollupStore(clickhouse) });
  }

  static async start(): Promise<AggregatorFixture> {
    const [postgres, store] = await Promise.all([freshDatabase({ template }), freshClickHouseDatabase()]);
    const client = createClient({ url: store.url, log: { level: ClickHouseLogLevel.OFF } });
    await migrateClickHouse(client, { database: store.database });
    const admin = new pg.Pool({ connectionString: postgres.url, max: 4 });
    admin.on('error', () => undefined); // The server ends these when the database is dropped.
    const log = openPostgresEventLog({ pool: admin, clock: systemClock });
    for (const name of Object.values(topics)) await log.ensureTopic({ name, partitions: 1 });
    const database = await Database.open({ url: postgres.url, role: 'aggregator', poolSizeMax: 4 });
    return new AggregatorFixture({ client, clickhouse: new ClickHouse(client), database, admin, log });
  }

  async close(): Promise<void> {
    await this.parts.log.close();
    await this.parts.database.close();
    await this.parts.admin.end();
    await this.parts.client.close();
  }

  /** Forgets everything that is only in memory, as a restart does. */
  restart(): void {
    this.consume = this.newConsumer();
  }

  recompute(patience: MarkPatience = { quietMs: 0, waitMaxMs: 0 }): RecomputeRollups {
    return new RecomputeRollups({ database: this.parts.database, rollups: new RollupStore(this.parts.clickhouse), patience });
  }

  private newConsumer(): ConsumeUsageBatch {
    const { clickhouse, database, log } = this.parts;
    const logger = pino({ level: 'silent' });
    const index = new IdentityIndex(clickhouse);
    const identities = new KnownIdentities({ index, clock: systemClock, logger });
    return new ConsumeUsageBatch({
      database, log, events: new EventStore(clickhouse), corrections: new CorrectionStore(clickhouse), correct: new CorrectCountedEvents(new CountedEvents(clickhouse)),
      reader: new EventReader(clickhouse), index, identities, windows: new DedupeWindows(database), logger,
    });
  }

  async addOrganizations(ids: readonly string[], dedupeWindowSeconds = 35 * 86_400): Promise<void> {
    await this.parts.admin.query(
      `insert into organizations (id, name, mode, invoice_prefix, created_at, dedupe_window_seconds) select id, id, 'test', 'T', now(), $2 from unnest($1::text[]) id`,
      [ids, dedupeWindowSeconds],
    );
  }

  async addMeter(meter: Partial<Meter> & { key: string }): Promise<string> {
    const organizationId = meter.organizationId ?? 'org_a';
    const id = meter.id ?? `mtr_${organizationId}_${meter.key}`;
    await this.parts.admin.query(
      `insert into meters (id, organization_id, key, name, event_type, aggregation, value_path, percentile, group_by, filter, created_at) values ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, now())`,
      [id, organizationId, meter.key, meter.eventType ?? 'call', meter.aggregation ?? 'count', meter.valuePath ?? null, meter.percentile ?? null, JSON.stringify(meter.groupBy ?? {}), meter.filter ?? null],
    );
    return id;
  }

  /** Makes the next version of a meter: what is not said is as the latest version has it. */
  async addVersion(id: string, version: Partial<Pick<MeterDefinition, 'eventType' | 'valuePath' | 'groupBy' | 'filter'>> & { readonly effectiveAt: string }): Promise<void> {
    const columns = 'event_type, aggregation, value_path, percentile, group_by, filter';
    const keep = `insert into meter_versions (meter_id, version, organization_id, effective_at, ${columns}, created_at) select id, latest_version, organization_id, effective_at, ${columns}, now() from meters where id = $1 on conflict do nothing`;
    await this.parts.admin.query(keep, [id]);
    const { rows } = await this.parts.admin.query<{ event_type: string; value_path: string | null; group_by: Record<string, string>; filter: string | null }>('select * from meters where id = $1', [id]);
    const { eventType = rows[0]?.event_type, valuePath = rows[0]?.value_path, groupBy = rows[0]?.group_by, filter = rows[0]?.filter } = version;
    await this.parts.admin.query(
      'update meters set latest_version = latest_version + 1, effective_at = $2, event_type = $3, value_path = $4, group_by = $5, filter = $6 where id = $1',
      [id, version.effectiveAt, eventType, valuePath, JSON.stringify(groupBy), filter],
    );
    await this.parts.admin.query(keep, [id]);
  }

  async addEventSource({ key, source }: { readonly key: string; readonly source: string | null }): Promise<void> {
    await this.parts.admin.query(
      `insert into event_sources (id, organization_id, key, name, format, source, mapping, created_at) values ($1, 'org_a', $2, $2, 'kong', $3, '{}', now())`, [`src_${key}`, key, source]);
  }

  async addCustomer(customer: { key: string; organization?: string; subjects?: readonly { subject: string; from?: string; to?: string }[] }): Promise<string> {
    const organizationId = customer.organization ?? 'org_a';
    const id = `cus_${organizationId}_${customer.key}`;
    await this.parts.admin.query(`insert into customers (id, organization_id, key, name, time_zone, created_at) values ($1, $2, $3, $3, 'UTC', now())`, [id, organizationId, customer.key]);
    for (const { subject, from, to } of customer.subjects ?? []) {
      await this.parts.admin.query(
        `insert into customer_subjects (id, organization_id, customer_id, subject, from_at, to_at, created_at) values (gen_random_uuid()::text, $1, $2, $3, $4, $5, now())`,
        [organizationId, id, subject, from ?? null, to ?? null],
      );
    }
    return id;
  }

  /** Hands records to the consumer as consecutive ones of a partition, beginning at a position. */
  async deliver(events: readonly Told[], at: { partition?: number; position?: number } = {}): Promise<void> {
    await this.consume.execute(batchOf(events, at));
  }

  /** Moves the letters that the consumer wrote into the log to where they are read. */
  async readDeadLetters(): Promise<void> {
    const consumer = new ConsumeDeadLetters({ store: this.deadLetters, logger: pino({ level: 'silent' }) });
    const subscription = await this.parts.log.subscribe({
      topic: topics.deadLetters, group: 'aggregator', batchSizeMax: 1_000,
      handle: async (batch) => void (await consumer.execute(batch)),
    });
    const deadline = performance.now() + 10_000;
    while ((await this.parts.log.lag({ topic: topics.deadLetters, group: 'aggregator' })) > 0n && performance.now() < deadline) await systemClock.sleep(20);
    await subscription.close();
  }

  /** The rows of a usage query, or the codes and pointers of what is wrong with it. */
  async ask(meter: string, query: Readonly<Record<string, string | string[]>> = {}, organization = 'org_a'): Promise<unknown> {
    const answer = await this.readUsage.execute({ organizationId: organization, meter }, { from: '2026-11-01T00:00:00Z', to: '2026-12-01T00:00:00Z', ...query } as MeterUsageQuery);
    if (!answer.ok) return answer.errors?.map(({ pointer, code }) => `${pointer} ${code}`) ?? answer.code;
    return answer.value.rows.map((row) => {
      const keys = [...(row.customerId === undefined ? [] : [String(row.customerId)]), ...(row.subject === undefined ? [] : [row.subject]), ...Object.values(row.group), ...(row.isRest ? ['other'] : [])];
      return [row.windowStart.toString(), ...keys, row.value].join(' ');
    });
  }
}

const appendedFrom = Temporal.Instant.from('2026-11-20T00:00:00Z');

export function batchOf(events: readonly Told[], at: { partition?: number; position?: number } = {}): LogBatch {
  const records = events.map((event, index): LogRecord => {
    if ('value' in event) return event;
    const record = 'amend' in event || 'void' in event ? correctionOf(event) : recordOf(event);
    const position = BigInt(at.position ?? 0) + BigInt(index);
    return { position, key: usageEventKey(record), value: JSON.stringify(record), appendedAt: appendedFrom.add({ milliseconds: Number(position) }) };
  });
  return { topic: topics.usageEvents, partition: at.partition ?? 0, records };
}

export function recordOf(event: TestEvent): UsageEventRecord {
  const receivedAt = six(event.receivedAt ?? '2026-11-20T00:00:00Z');
  const time = event.time === undefined ? receivedAt : six(event.time);
  const { id, source = 'default', type = 'call', subject = 's1', data = '{}' } = event;
  const timeGiven = event.time !== undefined;
  return {
    v: 1, kind: 'event', organization: event.organization ?? 'org_a', source, id, type, subject, time, time_given: timeGiven, received_at: receivedAt, data,
    payload_hash: createHash('sha256').update(payloadHashInput({ type, subject, time, timeGiven, data })).digest('hex'),
  };
}

function correctionOf(correction: TestCorrection): UsageCorrectionRecord {
  const { organization = 'org_a', id, source = 'default', amend, receivedAt = '2026-11-20T00:00:00Z', reason, sealedBefore } = correction;
  return {
    v: 2, kind: amend === undefined ? 'void' : 'amendment', organization, source, id, data: amend ?? null, reason: reason ?? null, made_by: 'key_corrector',
    received_at: six(receivedAt), sealed_before: sealedBefore === undefined ? null : six(sealedBefore),
  };
}

function six(text: string): string {
  return Temporal.Instant.from(text).toString({ fractionalSecondDigits: 6 });
}
