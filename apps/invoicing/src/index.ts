export { invoicingConfigSchema } from './config.js';
export type { InvoicingConfig } from './config.js';
export { InvoicingModule } from './invoicing.module.js';
export type { InvoicingAdapters } from './invoicing.module.js';
export type { StripeSettings } from './payment-providers.js';
