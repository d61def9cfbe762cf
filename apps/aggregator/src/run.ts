import { runService } from '#service';
import { aggregatorApp } from './aggregator-app.js';

export const run = (): Promise<number> => runService(aggregatorApp);
