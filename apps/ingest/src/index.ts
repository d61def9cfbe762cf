export { ingestConfigSchema } from './config.js';
export type { IngestConfig } from './config.js';
export { registerIngestRoutes } from './in/ingest-routes.js';
export type { IngestDependencies } from './in/ingest-routes.js';
export { ingestOpenApi } from './in/open-api.js';
export type { ReplayableDeadLetter } from './replay-dead-letter.js';
