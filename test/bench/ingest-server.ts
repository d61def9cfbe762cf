import { Module } from '@nestjs/common';
import { pino } from 'pino';
import { bootstrapOrganization } from '#billing-api';
import { topics } from '#contracts';
import { registerIngestRoutes } from '#ingest';
import { appRoles, billingApiEntities, BusinessClock, Database, organizationReader, PostgresAuthenticator } from '#persistence';
import { createHttpApp, makeIds, openKafkaEventLog, openPostgresEventLog, systemClock } from '#platform';
import { serveParent } from './child-server.ts';
import { benchKey, fromEnvironment, serverSecret, usagePartitions, usagePartitionsOnKafka } from './ingest-setting.ts';

// Ingest as standalone composes it, without the other apps in its process: authentication by key, the organization's settings
// and clock, validation, the Postgres log, or Kafka's where a broker is named.

class IngestAlone {}
Module({})(IngestAlone);

const databaseUrl = fromEnvironment('BENCH_DATABASE_URL');
const clock = systemClock;
const logger = pino({ level: 'warn' });
const ids = makeIds();
const billingApi = await Database.open({ url: databaseUrl, role: 'billingApi', poolSizeMax: 2, entities: billingApiEntities });
await bootstrapOrganization({ database: billingApi, ids, clock, serverSecret, apiKey: benchKey });
await billingApi.close();

const database = await Database.open({ url: databaseUrl, role: 'ingest', poolSizeMax: 4, entities: billingApiEntities });
const kafkaBroker = process.env['BENCH_KAFKA_BROKER'];
const log = kafkaBroker === undefined
  ? openPostgresEventLog({ connectionString: `${databaseUrl}?options=${encodeURIComponent(`-c role=${appRoles.ingest}`)}`, clock })
  : openKafkaEventLog({ brokers: [kafkaBroker], clientId: 'bench-ingest', clock, onError: (error) => logger.error(error) });
await log.ensureTopic({ name: topics.usageEvents, partitions: kafkaBroker === undefined ? usagePartitions : usagePartitionsOnKafka });
await log.ensureTopic({ name: topics.deadLetters, partitions: 1 });
const readOrganization = organizationReader(database);
const businessClock = new BusinessClock({ database, readOrganization, clock, hasLeases: true });
const authenticator = new PostgresAuthenticator(database, { serverSecret, clock });

const app = await createHttpApp({
  module: { module: IngestAlone },
  logger,
  authenticator,
  decimalFields: new Set(),
  routes: [
    (fastify) =>
      registerIngestRoutes(fastify, {
        log,
        clock,
        ids,
        logger,
        authenticator,
        businessNow: (organizationId) => businessClock.now(organizationId),
        rawRetentionSeconds: async (organizationId) => (await readOrganization(organizationId)).rawRetentionSeconds,
        findEventSource: async () => null, readEventSource: async () => null, findCurrentMeters: async () => [], findDeadLetter: async () => null, listDeadLetters: async () => [],
        serverSecret,
        bodyBytesMax: 64 * 1_024 * 1_024,
      }),
  ],
});
await app.listen({ port: 0, host: '127.0.0.1' });
serveParent(Number(new URL(await app.getUrl()).port), async () => {
  await app.close();
  await log.close();
  await database.close();
});
