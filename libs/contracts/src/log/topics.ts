/** Topics of the event log, by what their records say. */
export const topics = {
  usageEvents: 'tollway.usage-events',
  deadLetters: 'tollway.dead-letters',
  usageChanged: 'tollway.usage-changed',
  usageRated: 'tollway.usage-rated',
  usageThresholds: 'tollway.usage-thresholds',
  invoiceIssued: 'tollway.invoice-issued',
} as const;

/** The group in which the aggregator consumes: what it has committed is counted. */
export const aggregatorGroup = 'aggregator';

/** The group in which rating learns whose usage changed. */
export const ratingGroup = 'rating';
