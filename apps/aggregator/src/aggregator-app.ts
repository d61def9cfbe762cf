import { aggregatorGroup } from '#contracts';
import type { AppDefinition } from '#service';
import { AggregatorModule } from './aggregator.module.js';
import { aggregatorConfigSchema, type AggregatorConfig } from './config.js';
import { aggregatorTransport } from './in/usage-log.handler.js';

const batchSizeMax = 10_000;

export const aggregatorApp: AppDefinition<AggregatorConfig> = {
  name: 'aggregator',
  role: 'aggregator',
  port: 4002,
  poolSizeMax: 4,
  needs: ['postgres', 'clickhouse'],
  settings: aggregatorConfigSchema,
  compose: ({ database, log, clickHouse, clock, logger }, config) => ({
    module: AggregatorModule.register({
      database, log, clickhouse: clickHouse, clock, logger, patience: { quietMs: config.ROLLUP_QUIET_MS, waitMaxMs: config.ROLLUP_WAIT_MAX_MS },
    }),
    consumer: { group: aggregatorGroup, batchSizeMax, transport: aggregatorTransport },
  }),
};
