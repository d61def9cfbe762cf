import { addOnTable, addOnVersionTable } from './add-on-tables.js';
import { apiKeyTable } from './api-key-table.js';
import { featureTable, meterTable, productTable } from './catalog-tables.js';
import { customerSubjectTable, customerTable } from './customer-tables.js';
import { eventSourceTable } from './event-source-table.js';
import { idempotencyKeyTable } from './idempotency-key-table.js';
import { meterVersionTable } from './meter-version-table.js';
import { organizationTable } from './organization-table.js';
import { planDraftTable } from './plan-draft-table.js';
import { planTable, planVersionTable } from './plan-tables.js';
import { subscriptionTable } from './subscription-table.js';
import { testClockTable } from './test-clock-table.js';

/** The tables that billing-api owns, as TypeORM knows them; a test compares them with what the migrations made. */
export const billingApiEntities = [
  organizationTable, apiKeyTable, idempotencyKeyTable, testClockTable, productTable, featureTable, meterTable, meterVersionTable, planTable, planVersionTable, planDraftTable, addOnTable, addOnVersionTable,
  customerTable, customerSubjectTable, subscriptionTable, eventSourceTable,
];
