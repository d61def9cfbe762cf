import fastify, { type FastifyInstance } from 'fastify';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll } from 'vitest';
import {
  decodeDeadLetterRecord, decodeUsageRecord, ownerScopes, topics, type DeadLetterRecord, type DeadLetterStateRecord, type EventsAnswerBody, type Scope, type UsageCorrectionRecord,
  type UsageEventRecord,
} from '#contracts';
import type { Meter } from '#domain';
import { makeIds, migrateEventLog, openPostgresEventLog, systemClock, type Clock, type EventLog, type Principal } from '#platform';
import { freshDatabase, usePostgres, type DatabaseTemplate } from '#testing';
import { registerIngestRoutes } from './in/ingest-routes.js';
import type { DeadLetterQuery, EventSource, FindEventSource, KeptDeadLetter } from '#persistence';

export const serverSecret = 'a secret of at least 32 characters';

const template: DatabaseTemplate = {
  name: 'ingest event log',
  prepare: async (url) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await migrateEventLog(client);
    await client.end();
  },
};

export interface IngestOptions {
  readonly businessNow?: string;
  readonly rawRetentionSeconds?: number;
  readonly bodyBytesMax?: number;
  /** Stands before the log, to let it fail. */
  readonly wrapLog?: (log: EventLog) => EventLog;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: EventsAnswerBody & { readonly code?: string; readonly status?: number; readonly errors?: readonly { pointer: string; code: string }[] };
}

export type PostBody = string | Uint8Array | object;

/** In the order of their receipt. */
type DeadLetters = Map<string, KeptDeadLetter>;

/** The ingest routes over real HTTP on a Postgres log of their own. */
export class IngestFixture {
  private constructor(
    private readonly parts: { readonly app: FastifyInstance; readonly log: EventLog; readonly pool: pg.Pool; readonly eventSources: Map<string, EventSource>; readonly meters: Meter[] },
    readonly origin: string,
    readonly deadLetters: DeadLetters,
  ) {}

  static async start(options: IngestOptions = {}): Promise<IngestFixture> {
    const database = await freshDatabase({ template });
    const pool = new pg.Pool({ connectionString: database.url, max: 4 });
    pool.on('error', () => undefined);
    const log = openPostgresEventLog({ pool, clock: systemClock });
    await log.ensureTopic({ name: topics.usageEvents, partitions: 4 });
    await log.ensureTopic({ name: topics.deadLetters, partitions: 1 });
    const app = fastify({ bodyLimit: 1_024 });
    const deadLetters: DeadLetters = new Map();
    const eventSources = new Map<string, EventSource>();
    const meters: Meter[] = [];
    const findEventSource: FindEventSource = ({ organizationId, reference }) => Promise.resolve(eventSources.get(`${organizationId}/${reference}`) ?? null);
    registerIngestRoutes(app, {
      log: options.wrapLog?.(log) ?? log,
      clock: fixedClock,
      ids: makeIds(),
      logger: pino({ level: 'silent' }),
      authenticator: { authenticate: (credential) => Promise.resolve(principals.get(credential) ?? null) },
      businessNow: () => Promise.resolve(Temporal.Instant.from(options.businessNow ?? '2026-11-01T10:00:00Z')),
      rawRetentionSeconds: () => Promise.resolve(options.rawRetentionSeconds ?? null),
      findDeadLetter: ({ organizationId, deadLetterId }) => {
        const kept = deadLetters.get(deadLetterId);
        return Promise.resolve(kept?.letter.organization === organizationId ? kept : null);
      },
      findEventSource,
      readEventSource: findEventSource,
      findCurrentMeters: ({ organizationId, eventTypes }) => Promise.resolve(meters.filter((meter) => meter.organizationId === organizationId && eventTypes.includes(meter.eventType))),
      listDeadLetters: (query) => Promise.resolve(lettersOf(deadLetters, query)),
      serverSecret,
      bodyBytesMax: options.bodyBytesMax ?? 64 * 1_024 * 1_024,
    });
    const origin = await app.listen({ port: 0, host: '127.0.0.1' });
    return new IngestFixture({ app, log, pool, eventSources, meters }, origin, deadLetters);
  }

  /** By organization and key. */
  get eventSources(): Map<string, EventSource> {
    return this.parts.eventSources;
  }

  get meters(): Meter[] {
    return this.parts.meters;
  }

  /** Posts as the first organization; an object goes as JSON. */
  async post(path: string, body: PostBody, headers: Record<string, string> = {}): Promise<Answer> {
    const isRaw = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(this.origin + path, {
      method: 'POST',
      headers: { authorization: 'Bearer key-1', 'content-type': 'application/json', ...headers },
      body: isRaw ? (body as Uint8Array<ArrayBuffer> | string) : JSON.stringify(body),
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
  }

  async events(): Promise<UsageEventRecord[]> {
    return (await this.values(topics.usageEvents)).map(decodeUsageRecord).filter((record) => record.kind === 'event');
  }

  async corrections(): Promise<UsageCorrectionRecord[]> {
    return (await this.values(topics.usageEvents)).map(decodeUsageRecord).filter((record) => record.kind !== 'event');
  }

  async refused(): Promise<DeadLetterRecord[]> {
    return (await this.values(topics.deadLetters)).map(decodeDeadLetterRecord).filter((record) => record.kind !== 'state');
  }

  /** What became of dead letters. */
  async changedLetters(): Promise<DeadLetterStateRecord[]> {
    return (await this.values(topics.deadLetters)).map(decodeDeadLetterRecord).filter((record) => record.kind === 'state');
  }

  async keys(): Promise<string[]> {
    const { rows } = await this.parts.pool.query<{ key: string }>('SELECT DISTINCT key FROM event_log.records r JOIN event_log.topics t ON t.id = r.topic_id WHERE t.name = $1', [topics.usageEvents]);
    return rows.map(({ key }) => key);
  }

  private async values(topic: string): Promise<string[]> {
    const { rows } = await this.parts.pool.query<{ value: string }>(
      'SELECT r.value FROM event_log.records r JOIN event_log.topics t ON t.id = r.topic_id WHERE t.name = $1 ORDER BY r.appended_at, r.partition, r.position',
      [topic],
    );
    return rows.map(({ value }) => value);
  }

  async close(): Promise<void> {
    await this.parts.app.close();
    await this.parts.log.close();
    await this.parts.pool.end();
  }
}

/** The ingest routes for the specs of a file, in the state in which each leaves them to the next. `prepare` is run before the first. */
export function useIngest(options: IngestOptions = {}, prepare: (ingest: IngestFixture) => void = () => undefined): () => IngestFixture {
  usePostgres();
  let ingest: IngestFixture | undefined;
  beforeAll(async () => {
    ingest = await IngestFixture.start(options);
    prepare(ingest);
  });
  afterAll(async () => {
    await ingest?.close();
  });
  return () => {
    if (ingest === undefined) throw new Error('The ingest routes are there once the specs run.');
    return ingest;
  };
}

/** As the store lists them: the oldest first, behind the one that is named. */
function lettersOf(letters: DeadLetters, query: DeadLetterQuery): KeptDeadLetter[] {
  const all = [...letters.values()];
  const behind = query.startingAfter === null ? 0 : all.findIndex(({ letter }) => letter.id === query.startingAfter) + 1;
  return all
    .slice(behind)
    .filter(({ letter, became }) => letter.organization === query.organizationId && became.state === query.state && (query.kinds?.includes(letter.kind) ?? true) && (query.code ?? letter.code) === letter.code)
    .slice(0, query.limit);
}

const fixedClock: Clock = { now: () => Temporal.Instant.from('2026-11-23T06:00:00.5Z'), sleep: (durationMs, signal) => systemClock.sleep(durationMs, signal) };

function principal(organizationId: string, scopes: readonly Scope[] = ownerScopes): Principal {
  return { organizationId, mode: 'test', credentialId: `key_${organizationId}`, scopes: new Set(scopes) };
}

const principals = new Map([
  ['key-1', principal('org_1')],
  ['key-2', principal('org_2')],
  ['key-reader', principal('org_1', ['usage:read'])],
  ['key-catalog', principal('org_1', ['catalog:read'])],
  ['key-gateway', principal('org_1', ['events:write'])],
]);
