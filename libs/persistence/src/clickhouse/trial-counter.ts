import { countingRule, type Meter } from '#domain';
import type { ClickHouse } from './clickhouse.js';
import { meterSql } from './meter-sql.js';
import { microsOf, Placeholders } from './sql-builder.js';

export interface TrialCounts {
  readonly seen: number;
  /** Of those, how many pass the filter. */
  readonly passed: number;
  /** Of those, how many bring a value. */
  readonly counted: number;
}

const settings = 'SETTINGS max_memory_usage=1000000000';

/** Says how many events a meter would count that need not exist. */
export class TrialCounter {
  constructor(private readonly clickhouse: ClickHouse) {}

  async count(meter: Meter, range: { readonly from: Temporal.Instant; readonly to: Temporal.Instant }): Promise<TrialCounts> {
    const placeholders = new Placeholders();
    const sql = meterSql(countingRule(meter), placeholders);
    const events = `
      SELECT 1${sql.columns.map((column) => `, ${column}`).join('')} FROM events FINAL
      WHERE organization_id = ${placeholders.text(meter.organizationId)} AND event_type = ${placeholders.text(meter.eventType)}
        AND time >= fromUnixTimestamp64Micro(${microsOf(range.from)}, 'UTC') AND time < fromUnixTimestamp64Micro(${microsOf(range.to)}, 'UTC')`;
    const [row] = await this.clickhouse.query<Record<keyof TrialCounts, string>>({
      sql: `SELECT toString(count()) AS seen, toString(countIf(passes)) AS passed, toString(countIf(passes AND has_value)) AS counted
            FROM (SELECT ${sql.filter} AS passes, isNotNull(${sql.value}) AS has_value FROM (${events})) ${settings}`,
      parameters: placeholders.parameters,
    });
    return { seen: Number(row?.seen ?? 0), passed: Number(row?.passed ?? 0), counted: Number(row?.counted ?? 0) };
  }
}
