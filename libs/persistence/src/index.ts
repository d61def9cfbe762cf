export { appRoles, Database, isUniqueViolation } from './postgres/database.js';
export type { AppRole, DatabaseOptions } from './postgres/database.js';
export { migrateDatabase } from './postgres/migrate.js';
export { grantTable, protectTable } from './postgres/protect-table.js';
export type { TableProtection } from './postgres/protect-table.js';
