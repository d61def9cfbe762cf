/**
 * How many events a second `POST /v1/events` makes durable on a Postgres log, beside a bare Fastify route that appends
 * the same records without looking at them. Run on the built code: `node test/bench/ingest.ts`.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import pg from 'pg';
import { pino } from 'pino';
import { encodeUsageEventRecord, ownerScopes, topics, usageEventKey } from '#contracts';
import { registerIngestRoutes } from '#ingest';
import { makeIds, migrateEventLog, openPostgresEventLog, startEmbeddedPostgres, systemClock, type EventLog, type NewLogRecord } from '#platform';

const batchSize = Number.parseInt(process.env.BENCH_BATCH ?? '100', 10);
const concurrency = Number.parseInt(process.env.BENCH_CONCURRENCY ?? '32', 10);
const seconds = Number.parseInt(process.env.BENCH_SECONDS ?? '5', 10);
const rounds = Number.parseInt(process.env.BENCH_ROUNDS ?? '3', 10);

function bodies(): string[] {
  return Array.from({ length: 50 }, (_, body) =>
    JSON.stringify(Array.from({ length: batchSize }, (_unused, index) => ({
      id: `5f3c0e1d-${body}-${index}`,
      source: 'gw-eu-1',
      type: 'api.request',
      subject: `customer-${(body * 7 + index) % 1_000}`,
      time: `2026-11-01T10:00:${String(index % 60).padStart(2, '0')}.123Z`,
      data: { route: '/v1/geocode', method: 'GET', status: 200, bytes: 980 + index, latency_ms: 41.5, region: 'eu-west-1' },
    }))));
}

/** Posts for a while from a process of its own; sends how many events were answered with 202 and the latencies of their requests. */
async function generateLoad(url: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const prepared = bodies();
  const until = performance.now() + seconds * 1_000;
  const latencies: number[] = [];
  const post = (body: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const from = performance.now();
      const sent = request(url, { method: 'POST', agent, headers: { authorization: 'Bearer bench', 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } }, (response) => {
        response.resume().on('end', () => {
          if (response.statusCode !== 202) reject(new Error(`Answered ${response.statusCode}.`));
          latencies.push(performance.now() - from);
          resolve();
        });
      });
      sent.on('error', reject).end(body);
    });
  await Promise.all(Array.from({ length: concurrency }, async (_, worker) => {
    for (let turn = worker; performance.now() < until; turn += 1) await post(prepared[turn % prepared.length] as string);
  }));
  agent.destroy();
  latencies.sort((a, b) => a - b);
  process.send?.({ events: latencies.length * batchSize, p50: latencies[latencies.length >> 1], p99: latencies[Math.floor(latencies.length * 0.99)] });
}

/** The same append of records of the same shape, without a look at what stands in them: no check, no canonical form, no hash. */
function registerBareRoute(app: FastifyInstance, log: EventLog): void {
  app.post<{ Body: readonly Posted[] }>('/bare', { bodyLimit: 10_485_760 }, async (posted, reply) => {
    await log.append(topics.usageEvents, posted.body.map(bareRecord));
    return reply.status(202).send({ accepted: posted.body.length, rejected: [] });
  });
}

interface Posted {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data: object;
}

function bareRecord({ source, id, type, subject, time, data }: Posted): NewLogRecord {
  const record = { v: 1, kind: 'event', organization: 'org_1', source, id, type, subject, time, time_given: true, received_at: time, data: JSON.stringify(data), payload_hash: '0'.repeat(64) } as const;
  return { key: usageEventKey(record), value: encodeUsageEventRecord(record) };
}

async function serve(connectionString: string): Promise<{ origin: string; close: () => Promise<void> }> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await migrateEventLog(client);
  await client.end();
  const log = openPostgresEventLog({ connectionString, clock: systemClock });
  await log.ensureTopic({ name: topics.usageEvents, partitions: 4 });
  await log.ensureTopic({ name: topics.deadLetters, partitions: 1 });
  const app = fastify();
  registerBareRoute(app, log);
  const principal = { organizationId: 'org_1', mode: 'test' as const, credentialId: 'key_1', scopes: new Set(ownerScopes) };
  registerIngestRoutes(app, {
    log, clock: systemClock, ids: makeIds(), logger: pino({ level: 'error' }), bodyBytesMax: 67_108_864,
    authenticator: { authenticate: () => Promise.resolve(principal) },
    businessNow: () => Promise.resolve(Temporal.Now.instant()),
    rawRetentionSeconds: () => Promise.resolve(null),
    readDeadLetter: () => Promise.resolve(null),
  });
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    origin,
    close: async () => {
      await app.close();
      await log.close();
    },
  };
}

async function measure(url: string): Promise<{ rate: number; cpuMicros: number; p50: number; p99: number }> {
  const cpuBefore = process.cpuUsage();
  const load = fork(import.meta.filename, ['--load', url]);
  const [result] = (await once(load, 'message')) as [{ events: number; p50: number; p99: number }];
  const cpu = process.cpuUsage(cpuBefore);
  await once(load, 'exit');
  return { rate: result.events / seconds, cpuMicros: (cpu.user + cpu.system) / result.events, p50: result.p50, p99: result.p99 };
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tollway-bench-'));
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
  const { origin, close } = await serve(postgres.url);
  for (let round = 0; round < rounds; round += 1) {
    for (const path of (process.env.BENCH_PATHS ?? '/bare,/v1/events').split(',')) {
      const { rate, cpuMicros, p50, p99 } = await measure(origin + path);
      console.log(`${path.padEnd(11)} ${Math.round(rate)} events/s, ${cpuMicros.toFixed(1)} µs of this process's CPU an event, request p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
    }
  }
  await close();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}

if (process.argv[2] === '--load') await generateLoad(process.argv[3] ?? '');
else await main();
