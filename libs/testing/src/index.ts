export { freshClickHouseDatabase, useClickHouse } from './services/clickhouse.js';
export type { TestClickHouseDatabase } from './services/clickhouse.js';
export { describeWith, isRequired, skipReason } from './services/describe-with.js';
export type { TestService } from './services/describe-with.js';
export { freshDatabase, usePostgres } from './services/postgres.js';
export type { DatabaseTemplate, TestDatabase } from './services/postgres.js';
