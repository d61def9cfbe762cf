import { aggregatorGroup, topics } from '#contracts';
import type { AppDefinition } from '#service';
import { AggregatorMetrics } from './aggregator-metrics.js';
import { AggregatorModule } from './aggregator.module.js';
import { aggregatorConfigSchema, type AggregatorConfig } from './config.js';
import { aggregatorTransport } from './in/usage-log.handler.js';

const batchSizeMax = 10_000;

export const aggregatorApp: AppDefinition<AggregatorConfig> = {
  name: 'aggregator',
  role: 'aggregator',
  port: 4002,
  poolSizeMax: 4,
  needs: ['postgres', 'clickhouse', 'kafka'],
  settings: aggregatorConfigSchema,
  compose: ({ database, log, clickHouse, clock, logger }, config) => {
    const metrics = new AggregatorMetrics(clock);
    const patience = { quietMs: config.ROLLUP_QUIET_MS, waitMaxMs: config.ROLLUP_WAIT_MAX_MS };
    return {
      module: AggregatorModule.register({ database, log, clickhouse: clickHouse, clock, logger, metrics, patience }),
      consumer: { group: aggregatorGroup, topics: [topics.usageEvents, topics.deadLetters], batchSizeMax, transport: aggregatorTransport },
      metrics: metrics.metrics,
    };
  },
};
