import { z } from 'zod';
import { ratingGroup } from '#contracts';
import { UsageReader } from '#persistence';
import type { AppDefinition } from '#service';
import { ratingTransport } from './in/usage-changed.handler.js';
import { RatingModule } from './rating.module.js';

const batchSizeMax = 500;

export const ratingApp: AppDefinition<object> = {
  name: 'rating',
  role: 'rating',
  port: 4003,
  poolSizeMax: 6,
  needs: ['postgres', 'clickhouse'],
  settings: z.object({}),
  compose: ({ database, log, jobs, clickHouse, clock, logger }) => ({
    module: RatingModule.register({ database, log, jobs, usage: new UsageReader({ clickhouse: clickHouse, database, log }), clock, logger }),
    consumer: { group: ratingGroup, batchSizeMax, transport: ratingTransport },
  }),
};
