export { registerIngestRoutes } from './in/ingest-routes.js';
export type { IngestDependencies } from './in/ingest-routes.js';
export { ingestApp } from './ingest-app.js';
