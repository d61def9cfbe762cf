import type { EntityManager } from 'typeorm';
import { topics, type UsageThresholdRecord } from '#contracts';
import { keepCrossedThresholds, keepFacts, type CrossedThreshold, type RatedPeriod } from '#persistence';
import { ratedPeriodFact } from './rated-period-fact.js';

/** Keeps the thresholds that periods crossed to be told to the log, in the transaction that stores the periods. They are of one organization. */
export async function keepUsageThresholds(manager: EntityManager, rated: { periods: readonly RatedPeriod[]; now: Temporal.Instant }): Promise<void> {
  const crossed = await keepCrossedThresholds(manager, rated);
  const [first] = crossed;
  if (first === undefined) return;
  const facts = crossed.map((each) => ({ topic: topics.usageThresholds, value: JSON.stringify(toRecord(each)) }));
  await keepFacts(manager, { table: 'rating_facts', organizationId: first.period.organizationId, facts });
}

function toRecord({ period, threshold, at }: CrossedThreshold): UsageThresholdRecord {
  return {
    ...ratedPeriodFact(period),
    price: threshold.priceId,
    price_key: threshold.priceKey,
    kind: threshold.kind,
    ref: threshold.ref,
    tier: threshold.tier,
    group: threshold.group,
    bound: threshold.bound,
    quantity: threshold.quantity,
    unrounded_amount: threshold.amount,
    currency: threshold.currency,
    at: at.toString(),
  };
}
