import type { EntityManager } from 'typeorm';
import { factLinesMax, topics, type UsageRatedRecord } from '#contracts';
import { formatMinor } from '#domain';
import { keepFacts, type RatedPeriod } from '#persistence';
import { ratedPeriodFact } from './rated-period-fact.js';

/** Keeps what was rated to be told to the log, in the transaction that stores it. Periods are of one organization. */
export async function keepUsageRated(manager: EntityManager, periods: readonly RatedPeriod[]): Promise<void> {
  const [first] = periods;
  if (first === undefined) return;
  const facts = periods.map((period) => ({ topic: topics.usageRated, value: JSON.stringify(toRecord(period)) }));
  await keepFacts(manager, { table: 'rating_facts', organizationId: first.organizationId, facts });
}

function toRecord(period: RatedPeriod): UsageRatedRecord {
  const { lines } = period;
  const currency = lines[0]?.currency ?? null;
  return {
    ...ratedPeriodFact(period),
    final: period.isFinal,
    generation: period.generation.toString(),
    usage_complete_as_of: period.completeAsOf.toString(),
    rated_at: period.ratedAt.toString(),
    currency,
    total: currency === null ? '0' : formatMinor(lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0n), currency),
    lines: lines.length > factLinesMax ? null : lines.map((line) => ({
      ref: line.ref, price: line.priceId, price_key: line.priceKey, kind: line.kind, group: line.group,
      quantity: line.quantity, unrounded_amount: line.unroundedAmount, amount: formatMinor(line.amountMinor, line.currency),
    })),
  };
}
