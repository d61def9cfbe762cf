import { z } from 'zod';
import type { AppDefinition } from '#service';
import { BillingApiModule } from './billing-api-module.js';

export const billingApiApp: AppDefinition<object> = {
  name: 'billing-api',
  role: 'billingApi',
  port: 4005,
  poolSizeMax: 10,
  needs: ['postgres', 'redis'],
  settings: z.object({}),
  compose: (adapters) => ({ module: BillingApiModule.register(adapters) }),
};
