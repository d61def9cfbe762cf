import { Histogram } from 'prom-client';
import { z } from 'zod';
import { ratingGroup, topics } from '#contracts';
import { LineUsageReader, SliceEventReader, UsageReader } from '#persistence';
import type { AppDefinition } from '#service';
import { ratingTransport } from './in/usage-changed.handler.js';
import { RatingModule } from './rating.module.js';

const batchSizeMax = 500;

export const ratingApp: AppDefinition<object> = {
  name: 'rating',
  role: 'rating',
  port: 4003,
  poolSizeMax: 6,
  needs: ['postgres', 'clickhouse', 'kafka', 'redis'],
  settings: z.object({}),
  compose: ({ database, log, jobs, clickHouse: clickhouse, clock, logger }) => {
    const jobSeconds = new Histogram({ name: 'tollway_rating_job_seconds', help: 'How long rating jobs that succeeded took.', labelNames: ['kind'], buckets: [0.05, 0.25, 1, 5, 15, 60, 300], registers: [] });
    const stores = { clickhouse, database, log };
    return {
      module: RatingModule.register({ database, log, jobs, usage: new UsageReader({ ...stores, clock }), events: new SliceEventReader(stores), lineUsages: new LineUsageReader(stores), clock, logger, jobSeconds }),
      consumer: { group: ratingGroup, topics: [topics.usageChanged], batchSizeMax, transport: ratingTransport },
      metrics: [jobSeconds],
    };
  },
};
