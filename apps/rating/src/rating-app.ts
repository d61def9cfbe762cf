import { Histogram } from 'prom-client';
import { z } from 'zod';
import { ratingGroup, topics } from '#contracts';
import { LineUsageReader, SliceEventReader, UsageReader } from '#persistence';
import type { OpenApiOptions } from '#platform';
import type { AppDefinition } from '#service';
import { accessOpenApi } from './in/access-open-api.js';
import { registerAccessRoute } from './in/access-route.js';
import { ratingTransport } from './in/usage-changed.handler.js';
import { RatingModule } from './rating.module.js';
import { ReadAccess } from './read-access.js';
import { ReadMarginalBasis } from './read-marginal-amount.js';
import { ReadPeriodUsage } from './read-period-usage.js';

const batchSizeMax = 500;

export const ratingApp: AppDefinition<object> = {
  name: 'rating',
  role: 'rating',
  port: 4003,
  poolSizeMax: 6,
  needs: ['postgres', 'clickhouse', 'kafka', 'redis'],
  settings: z.object({}),
  compose: ({ database, log, jobs, clickHouse: clickhouse, clock, logger, authenticator }) => {
    const jobSeconds = new Histogram({ name: 'tollway_rating_job_seconds', help: 'How long rating jobs that succeeded took.', labelNames: ['kind'], buckets: [0.05, 0.25, 1, 5, 15, 60, 300], registers: [] });
    const stores = { clickhouse, database, log };
    const [usage, events] = [new UsageReader({ ...stores, clock }), new SliceEventReader(stores)];
    const readAccess = new ReadAccess({ database, usage, clock, readMarginal: new ReadMarginalBasis(new ReadPeriodUsage({ database, usage, events, clock })) });
    return {
      module: RatingModule.register({ database, log, jobs, usage, events, lineUsages: new LineUsageReader(stores), readAccess, clock, logger, jobSeconds }),
      routes: (fastify) => registerAccessRoute(fastify, { readAccess, authenticator }),
      openApiPaths: accessOpenApi as NonNullable<OpenApiOptions['paths']>,
      consumer: { group: ratingGroup, topics: [topics.usageChanged], batchSizeMax, transport: ratingTransport },
      metrics: [jobSeconds],
    };
  },
};
