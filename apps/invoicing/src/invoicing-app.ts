import type { AppDefinition } from '#service';
import { invoicingConfigSchema, type InvoicingConfig } from './config.js';
import { InvoicingMetrics } from './invoicing-metrics.js';
import { InvoicingModule } from './invoicing.module.js';
import type { StripeSettings } from './payment-providers.js';

export const invoicingApp: AppDefinition<InvoicingConfig> = {
  name: 'invoicing',
  role: 'invoicing',
  port: 4004,
  poolSizeMax: 6,
  needs: ['postgres', 'redis'],
  settings: invoicingConfigSchema,
  compose: ({ database, log, jobs, clock, ids, logger, serverSecret }, config) => {
    const metrics = new InvoicingMetrics({ database, clock });
    const module = InvoicingModule.register({
      database, log, jobs, clock, ids, logger, serverSecret, stripe: stripeOf(config), allowStripeBase: config.TOLLWAY_ALLOW_STRIPE_BASE, metrics,
    });
    return { module, metrics: metrics.metrics };
  },
};

function stripeOf(config: InvoicingConfig): StripeSettings | null {
  if (config.STRIPE_API_KEY === undefined) return null;
  return { apiKey: config.STRIPE_API_KEY, webhookSecret: config.STRIPE_WEBHOOK_SECRET ?? null, apiBase: config.STRIPE_API_BASE ?? null };
}
