import { runService } from '#service';
import { invoicingApp } from './invoicing-app.js';

export const run = (): Promise<number> => runService(invoicingApp);
