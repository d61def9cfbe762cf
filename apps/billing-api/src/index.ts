export { billingApiApp } from './billing-api-app.js';
export { bootstrapOrganization } from './bootstrap-organization.js';
export type { BootstrapOptions, BootstrappedOrganization } from './bootstrap-organization.js';
export { CreateOrganization } from './create-organization.js';
