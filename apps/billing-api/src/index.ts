export { BillingApiModule } from './billing-api-module.js';
export type { BillingApiAdapters } from './billing-api-module.js';
export { bootstrapOrganization } from './bootstrap-organization.js';
export type { BootstrapOptions, BootstrappedOrganization } from './bootstrap-organization.js';
export { CreateOrganization } from './create-organization.js';
