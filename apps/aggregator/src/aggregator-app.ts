import { aggregatorGroup, topics } from '#contracts';
import { EventReader, LiveCopies, UsageReader } from '#persistence';
import type { OpenApiOptions } from '#platform';
import type { AppAdapters, AppDefinition } from '#service';
import { AggregatorMetrics } from './aggregator-metrics.js';
import { AggregatorModule } from './aggregator.module.js';
import { aggregatorConfigSchema, type AggregatorConfig } from './config.js';
import { liveOpenApi } from './in/live-open-api.js';
import { registerLiveRoutes } from './in/live-routes.js';
import { aggregatorTransport } from './in/usage-log.handler.js';
import { ListEvents } from './list-events.js';
import { LiveEvents } from './live-events.js';
import { LiveUsage } from './live-usage.js';
import { ReadMeterUsage } from './read-meter-usage.js';

const batchSizeMax = 10_000;
const exportDirDefault = './.tollway/exports';

export const aggregatorApp: AppDefinition<AggregatorConfig> = {
  name: 'aggregator',
  role: 'aggregator',
  port: 4002,
  poolSizeMax: 4,
  needs: ['postgres', 'clickhouse', 'kafka'],
  settings: aggregatorConfigSchema,
  compose: (adapters, config) => {
    const { database, log, clickHouse, clock, logger } = adapters;
    const metrics = new AggregatorMetrics(clock);
    const patience = { quietMs: config.ROLLUP_QUIET_MS, waitMaxMs: config.ROLLUP_WAIT_MAX_MS };
    return {
      module: AggregatorModule.register({ database, log, clickhouse: clickHouse, clock, logger, metrics, patience, exports: { dir: config.EXPORT_DIR ?? exportDirDefault, retentionDays: config.EXPORT_RETENTION_DAYS } }),
      consumer: { group: aggregatorGroup, topics: [topics.usageEvents, topics.deadLetters], batchSizeMax, transport: aggregatorTransport },
      metrics: metrics.metrics,
      routes: (fastify) => registerLiveRoutes(fastify, { ...liveUseCases(adapters), authenticator: adapters.authenticator, logger }),
      openApiPaths: liveOpenApi as NonNullable<OpenApiOptions['paths']>,
    };
  },
};

function liveUseCases({ database, log, clickHouse, clock }: AppAdapters): { liveEvents: LiveEvents; liveUsage: LiveUsage } {
  const events = new EventReader(clickHouse);
  const live = new LiveCopies(clickHouse, events);
  const readMeterUsage = new ReadMeterUsage({ database, usage: new UsageReader({ clickhouse: clickHouse, database, log, clock }) });
  return { liveEvents: new LiveEvents({ database, live, listEvents: new ListEvents({ database, events }), clock }), liveUsage: new LiveUsage({ live, readMeterUsage, clock }) };
}
