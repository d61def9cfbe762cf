import { DeadLetterStore } from '#persistence';
import type { OpenApiOptions } from '#platform';
import type { AppAdapters, AppDefinition } from '#service';
import { ingestConfigSchema, type IngestConfig } from './config.js';
import { registerIngestRoutes, type IngestDependencies } from './in/ingest-routes.js';
import { ingestOpenApi } from './in/open-api.js';

export const ingestApp: AppDefinition<IngestConfig> = {
  name: 'ingest',
  role: 'ingest',
  port: 4001,
  poolSizeMax: 4,
  needs: ['postgres'],
  settings: ingestConfigSchema,
  compose: (adapters, config) => ({
    routes: (fastify) => registerIngestRoutes(fastify, dependencies(adapters, config)),
    openApiPaths: ingestOpenApi as NonNullable<OpenApiOptions['paths']>,
  }),
};

function dependencies(adapters: AppAdapters, config: IngestConfig): IngestDependencies {
  const { log, clock, ids, logger, authenticator, businessClock, readOrganization } = adapters;
  const deadLetters = new DeadLetterStore(adapters.clickHouse);
  return {
    log,
    clock,
    ids,
    businessNow: (organizationId) => businessClock.now(organizationId),
    rawRetentionSeconds: async (organizationId) => (await readOrganization(organizationId)).rawRetentionSeconds,
    authenticator,
    readDeadLetter: (key) => deadLetters.find(key),
    logger,
    bodyBytesMax: config.INGEST_BODY_BYTES_MAX,
  };
}
