import { runService } from '#service';
import { ingestApp } from './ingest-app.js';

export const run = (): Promise<number> => runService(ingestApp);
