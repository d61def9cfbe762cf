import { Module, type DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { AggregatorModule, aggregatorTransport, readDeadLetterOf } from '#aggregator';
import { BillingApiModule, bootstrapOrganization, CreateOrganization, type BootstrappedOrganization } from '#billing-api';
import { aggregatorGroup, decimalFields, ratingGroup, topics } from '#contracts';
import { ingestOpenApi, registerIngestRoutes, type IngestDependencies } from '#ingest';
import { InvoicingModule } from '#invoicing';
import { BusinessClock, ClickHouse, organizationReader, PostgresAuthenticator, PostgresIdempotencyStore, UsageReader } from '#persistence';
import { createHttpApp, LogServer, makeIds, operationalRoutes, serveDocuments, systemClock, type Ids, type Logger, type OpenApiOptions } from '#platform';
import { RatingModule, ratingTransport } from '#rating';
import type { Adapters } from './adapters.js';
import type { StandaloneConfig } from './config.js';

export interface ComposeOptions {
  readonly config: StandaloneConfig;
  readonly adapters: Adapters;
  readonly secret: string;
  readonly logger: Logger;
}

export interface Product {
  readonly app: NestFastifyApplication;
  readonly organization: BootstrappedOrganization;
  /** Makes a test organization and gives its owner's key. */
  readonly createOrganization: (name: string) => Promise<string>;
}

const usagePartitions = 4;
const aggregatorBatchSizeMax = 10_000;
const ratingBatchSizeMax = 500;

@Module({})
class StandaloneModule {
  static of(imports: DynamicModule[]): DynamicModule {
    return { module: StandaloneModule, imports };
  }
}

/** All five apps in one Nest application, each on its own connections, with one log server per consumer group. Not yet listening. */
export async function composeApp(options: ComposeOptions): Promise<Product> {
  const { adapters, secret, logger } = options;
  const ids = makeIds({ now: () => systemClock.now() });
  await adapters.logs.ingest.maintain();
  for (const [name, partitions] of [[topics.usageEvents, usagePartitions], [topics.deadLetters, 1], [topics.usageChanged, 1]] as const) {
    await adapters.logs.ingest.ensureTopic({ name, partitions });
  }
  const organization = await bootstrapOrganization({
    database: adapters.databases.billingApi, ids, clock: systemClock, serverSecret: secret, apiKey: options.config.TOLLWAY_BOOTSTRAP_API_KEY,
  });
  const api = billingApiAdapters(options, ids);
  const app = await createHttpApp({
    module: StandaloneModule.of(appModules(options, { ids, api })),
    logger,
    authenticator: api.authenticator,
    idempotency: new PostgresIdempotencyStore(adapters.databases.billingApi, { serverSecret: secret, clock: systemClock }),
    decimalFields,
    routes: [
      (fastify) => registerIngestRoutes(fastify, ingestDependencies(options, ids)),
      operationalRoutes({ checks: readinessOf(adapters), metrics: metricsOf() }),
    ],
  });
  serveDocuments(app, { paths: ingestOpenApi as OpenApiOptions['paths'] & object });
  const { logs } = adapters;
  app.connectMicroservice({ strategy: new LogServer({ log: logs.aggregator, group: aggregatorGroup, batchSizeMax: aggregatorBatchSizeMax, transportId: aggregatorTransport }) });
  app.connectMicroservice({ strategy: new LogServer({ log: logs.rating, group: ratingGroup, batchSizeMax: ratingBatchSizeMax, transportId: ratingTransport }) });
  await app.startAllMicroservices();
  const create = new CreateOrganization(api, secret);
  return { app, organization, createOrganization: async (name) => (await create.execute({ name, mode: 'test' })).secret };
}

function appModules(options: ComposeOptions, parts: { ids: Ids; api: ReturnType<typeof billingApiAdapters> }): DynamicModule[] {
  const { config, adapters, secret, logger } = options;
  const { databases, logs, jobs } = adapters;
  const { ids, api } = parts;
  const clock = systemClock;
  const usage = new UsageReader({ clickhouse: new ClickHouse(adapters.clickHouse), database: databases.rating, log: logs.rating });
  return [
    BillingApiModule.register(api),
    AggregatorModule.register({
      database: databases.aggregator, log: logs.aggregator, clickhouse: new ClickHouse(adapters.clickHouse), clock, logger,
      patience: { quietMs: config.ROLLUP_QUIET_MS, waitMaxMs: config.ROLLUP_WAIT_MAX_MS },
    }),
    RatingModule.register({ database: databases.rating, log: logs.rating, jobs, usage, clock, logger }),
    InvoicingModule.register({
      database: databases.invoicing, log: logs.invoicing, jobs, clock, ids, logger, serverSecret: secret, stripe: stripeOf(config), allowStripeBase: config.TOLLWAY_ALLOW_STRIPE_BASE,
    }),
  ];
}

function billingApiAdapters({ adapters, secret, logger }: ComposeOptions, ids: Ids) {
  const database = adapters.databases.billingApi;
  const readOrganization = organizationReader(database);
  return {
    database,
    log: adapters.logs.billingApi,
    jobs: adapters.jobs,
    authenticator: new PostgresAuthenticator(database, { serverSecret: secret, clock: systemClock }),
    readOrganization,
    businessClock: new BusinessClock(database, readOrganization, systemClock),
    clock: systemClock,
    ids,
    logger,
    serverSecret: secret,
  };
}

function ingestDependencies({ config, adapters, secret, logger }: ComposeOptions, ids: Ids): IngestDependencies {
  const database = adapters.databases.ingest;
  const readOrganization = organizationReader(database);
  const businessClock = new BusinessClock(database, readOrganization, systemClock);
  return {
    log: adapters.logs.ingest,
    clock: systemClock,
    ids,
    businessNow: (organizationId) => businessClock.now(organizationId),
    rawRetentionSeconds: async (organizationId) => (await readOrganization(organizationId)).rawRetentionSeconds,
    authenticator: new PostgresAuthenticator(database, { serverSecret: secret, clock: systemClock }),
    readDeadLetter: readDeadLetterOf(new ClickHouse(adapters.clickHouse)),
    logger,
    bodyBytesMax: config.INGEST_BODY_BYTES_MAX,
  };
}

function stripeOf(config: StandaloneConfig): { apiKey: string; webhookSecret: string | null; apiBase: string | null } | null {
  if (config.STRIPE_API_KEY === undefined) return null;
  return { apiKey: config.STRIPE_API_KEY, webhookSecret: config.STRIPE_WEBHOOK_SECRET ?? null, apiBase: config.STRIPE_API_BASE ?? null };
}

function readinessOf(adapters: Adapters): Record<string, () => Promise<void>> {
  return {
    postgres: async () => void (await adapters.databases.billingApi.dataSource.query('select 1')),
    clickhouse: async () => {
      const pong = await adapters.clickHouse.ping();
      if (!pong.success) throw pong.error;
    },
  };
}

function metricsOf(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
