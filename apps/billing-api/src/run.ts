import { runService } from '#service';
import { billingApiApp } from './billing-api-app.js';

export const run = (): Promise<number> => runService(billingApiApp);
