import { createHash } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { earlier } from '#domain';
import type { RatedPeriod, ReachedThreshold } from './rated-period.js';

/** A threshold that was reached in this period for the first time. */
export interface CrossedThreshold {
  readonly period: RatedPeriod;
  readonly threshold: ReachedThreshold;
  /** Business time of the rating, at most the period's end. */
  readonly at: Temporal.Instant;
}

/**
 * Keeps which thresholds the periods have reached, in the transaction that stores them, and returns those that were not kept
 * before: each once, whatever becomes of the usage. One statement for all, and none where nothing is reached.
 */
export async function keepCrossedThresholds(manager: EntityManager, { periods, now }: { periods: readonly RatedPeriod[]; now: Temporal.Instant }): Promise<readonly CrossedThreshold[]> {
  const reached = periods.flatMap((period) => (period.thresholds ?? []).map((threshold) => ({ period, threshold, at: earlier(now, period.end), digest: digestOf(threshold.ref) })));
  if (reached.length === 0) return [];
  const rows = reached.map(({ period, threshold, at, digest }) => ({
    organization_id: period.organizationId,
    subscription_id: period.subscriptionId,
    period_index: period.periodIndex,
    price_id: threshold.priceId,
    ref_digest: digest,
    ref: threshold.ref,
    crossed_at: at.toString(),
  }));
  const kept: CrossedRow[] = await manager.query(
    `insert into crossed_thresholds (organization_id, subscription_id, period_index, price_id, ref_digest, ref, crossed_at)
     select * from json_to_recordset($1::json) as given (organization_id text, subscription_id text, period_index int, price_id text, ref_digest text, ref text, crossed_at timestamptz)
     order by subscription_id, period_index, price_id, ref_digest
     on conflict do nothing
     returning subscription_id, period_index, price_id, ref_digest`,
    [JSON.stringify(rows)],
  );
  const added = new Set(kept.map(keyOf));
  return reached.filter((_, index) => added.has(keyOf(rows[index] as CrossedRow))).map(({ period, threshold, at }) => ({ period, threshold, at }));
}

interface CrossedRow {
  readonly subscription_id: string;
  readonly period_index: number;
  readonly price_id: string;
  readonly ref_digest: string;
}

function keyOf(row: CrossedRow): string {
  return `${row.subscription_id}/${row.period_index}/${row.price_id}/${row.ref_digest}`;
}

function digestOf(ref: string): string {
  return createHash('sha256').update(ref).digest('hex');
}
