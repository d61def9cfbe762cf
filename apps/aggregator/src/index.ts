export { AggregatorModule } from './aggregator.module.js';
export type { AggregatorAdapters } from './aggregator.module.js';
export { aggregatorConfigSchema } from './config.js';
export type { AggregatorConfig } from './config.js';
export { aggregatorTransport } from './in/usage-log.handler.js';
export { readDeadLetterOf } from './read-dead-letter.js';
