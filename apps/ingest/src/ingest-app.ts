import { Counter } from 'prom-client';
import { DeadLetterStore, eventSourceFinder, eventSourceReader, findMeters } from '#persistence';
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
  needs: ['postgres', 'kafka'],
  settings: ingestConfigSchema,
  compose: (adapters, config) => {
    const events = new Counter({ name: 'tollway_events_total', help: 'Events of answered requests: accepted, or refused.', labelNames: ['outcome'], registers: [] });
    const onAnswered: IngestDependencies['onAnswered'] = ({ accepted, refused }) => {
      events.inc({ outcome: 'accepted' }, accepted);
      events.inc({ outcome: 'refused' }, refused);
    };
    return {
      routes: (fastify) => registerIngestRoutes(fastify, { ...dependencies(adapters, config), onAnswered }),
      openApiPaths: ingestOpenApi as NonNullable<OpenApiOptions['paths']>,
      metrics: [events],
    };
  },
};

function dependencies(adapters: AppAdapters, config: IngestConfig): IngestDependencies {
  const { log, clock, ids, logger, authenticator, businessClock, readOrganization, database } = adapters;
  const deadLetters = new DeadLetterStore(adapters.clickHouse);
  return {
    log,
    clock,
    ids,
    businessNow: (organizationId) => businessClock.now(organizationId),
    rawRetentionSeconds: async (organizationId) => (await readOrganization(organizationId)).rawRetentionSeconds,
    authenticator,
    findDeadLetter: (key) => deadLetters.find(key),
    listDeadLetters: (query) => deadLetters.list(query),
    findEventSource: eventSourceFinder(database),
    readEventSource: eventSourceReader(database),
    findCurrentMeters: ({ organizationId, eventTypes }) => database.inOrganization(organizationId, (manager) => findMeters(manager, { eventTypes, isCurrent: true })),
    logger,
    serverSecret: adapters.serverSecret,
    bodyBytesMax: config.INGEST_BODY_BYTES_MAX,
  };
}
