export { ratingTransport } from './in/usage-changed.handler.js';
export { RatingModule } from './rating.module.js';
export type { RatingAdapters } from './rating.module.js';
export type { UsageSlice, UsageSlices } from './rate-periods.js';
