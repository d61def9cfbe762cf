import { countingRule, rollupsName, type MeterPart } from '#domain';
import { rowsLiteral, type ClickHouse, type Statement } from './clickhouse.js';
import { meterSql } from './meter-sql.js';
import { boundedMemory, isInPart, Placeholders } from './sql-builder.js';
import { rollupStates, stateOf } from './usage-states.js';

/** An hour of a bucket, and the version that its rollups get. */
export interface RollupCell {
  /** Seconds since 1970, a whole hour. */
  readonly hour: number;
  readonly bucket: number;
  readonly generation: bigint;
}

const daySeconds = 86_400;
const hourSeconds = 3_600;
const settings = `SETTINGS async_insert=0, max_partitions_per_insert_block=0, ${boundedMemory}`;

/**
 * Rewrites rollups from the raw events. Each cell is written whole under its generation: a group that has no events any
 * more gets a row of zero, so that an older row never speaks for it.
 */
export class RollupStore {
  constructor(private readonly clickhouse: ClickHouse) {}

  /** Recomputes a version's rollups of those of these cells that it may count events of. */
  async recompute(meter: MeterPart, marked: readonly RollupCell[]): Promise<void> {
    const cells = marked.filter(({ hour }) => hasHour(meter, hour));
    if (cells.length === 0) return;
    const hours = cells.map(({ hour }) => hour);
    const rows = cells.map(({ hour, bucket, generation }) => `[${hour},${bucket},"${generation}"]`);
    await this.clickhouse.command(
      rollupStatement(meter, {
        from: Math.min(...hours),
        to: Math.max(...hours) + hourSeconds,
        buckets: [...new Set(cells.map(({ bucket }) => bucket))],
        cells: rowsLiteral('cell_hour UInt32, cell_bucket UInt8, cell_generation UInt64', rows),
        generation: 'cell_generation',
      }),
    );
  }

  /** The days (seconds since 1970) on which there are events that a version counts, as far as their type and time say. */
  async daysWithEvents(of: Pick<MeterPart, 'organizationId' | 'eventType' | 'from' | 'until'>): Promise<number[]> {
    const placeholders = new Placeholders();
    const rows = await this.clickhouse.query<{ day: number }>({
      sql: `SELECT DISTINCT toUnixTimestamp(toStartOfDay(time, 'UTC')) AS day FROM events
            WHERE organization_id = ${placeholders.text(of.organizationId)} AND event_type = ${placeholders.text(of.eventType)}
              AND ${isInPart(of)}
            ORDER BY day`,
      parameters: placeholders.parameters,
    });
    return rows.map(({ day }) => day);
  }

  /** Makes all rollups of one day, under one generation that was taken before the call. */
  async buildDay(meter: MeterPart, options: { readonly day: number; readonly generation: bigint }): Promise<void> {
    await this.clickhouse.command(
      rollupStatement(meter, { from: options.day, to: options.day + daySeconds, buckets: null, cells: null, generation: `toUInt64('${options.generation}')` }),
    );
  }
}

/** Whether a part of the hour (seconds since 1970) is the version's. */
function hasHour({ from, until }: MeterPart, hour: number): boolean {
  const startMs = hour * 1_000;
  return (from === null || from.epochMilliseconds < startMs + hourSeconds * 1_000) && (until === null || until.epochMilliseconds >= startMs);
}

/** Which rollups, or events, a statement is about. */
export interface RollupScope {
  /** Seconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** Null takes every bucket. */
  readonly buckets: readonly number[] | null;
  /** A relation of cells; null takes every cell of the range. */
  readonly cells: string | null;
  readonly generation: string;
}

function rollupStatement(meter: MeterPart, scope: RollupScope): Statement {
  const placeholders = new Placeholders();
  const organization = placeholders.text(meter.organizationId);
  const meterId = placeholders.text(rollupsName(meter));
  const parts = `${freshPart(meter, scope, placeholders)} UNION ALL ${vanishedPart(meter, scope, placeholders)}`;
  const needed = stateOf[meter.aggregation];
  const columns = rollupStates.map((state) => (state === needed ? state.merged('part_state', 'part_events') : state.empty));
  const cells = scope.cells === null ? '' : 'INNER JOIN cells ON toUnixTimestamp(parts.hour) = cells.cell_hour AND parts.bucket = cells.cell_bucket';
  const rows = `
    SELECT bucket, subject, hour, group_values, sum(part_events), ${columns.join(', ')}, any(${scope.generation})
    FROM (${parts}) AS parts ${cells} GROUP BY bucket, subject, hour, group_values`;
  return {
    sql: `INSERT INTO usage_rollups (organization_id, meter_id, bucket, subject, hour, group_values, count, ${rollupStates.map(({ name }) => name).join(', ')}, generation)
          ${scope.cells === null ? '' : `WITH cells AS (SELECT * FROM ${scope.cells})`}
          SELECT ${organization}, ${meterId}, * FROM (${rows}) ${settings}`,
    parameters: placeholders.parameters,
  };
}

/** What the events say now. */
export function freshPart(meter: MeterPart, scope: Omit<RollupScope, 'generation'>, placeholders: Placeholders): string {
  const sql = meterSql(countingRule(meter), placeholders);
  const state = stateOf[meter.aggregation];
  const raw = `
    SELECT bucket, subject, toStartOfHour(time, 'UTC') AS hour, time, appended_at, position, partition${sql.columns.map((column) => `, ${column}`).join('')}
    FROM events FINAL
    WHERE organization_id = ${placeholders.text(meter.organizationId)} AND event_type = ${placeholders.text(meter.eventType)} AND ${inBuckets(scope)}
      AND time >= fromUnixTimestamp64Micro(${scope.from}000000, 'UTC') AND time < fromUnixTimestamp64Micro(${scope.to}000000, 'UTC')
      AND ${inCells(scope, `toStartOfHour(time, 'UTC')`)}`;
  const counted = `
    SELECT bucket, subject, hour, time, appended_at, position, partition, ${sql.value} AS value, [${sql.dimensions.join(', ')}]::Array(String) AS group_values
    FROM (${raw}) WHERE ${sql.filter} AND isNotNull(value)`;
  return `
    SELECT bucket, subject, hour, group_values, count() AS part_events${state === null ? '' : `, ${state.fromRaw} AS part_state`}
    FROM (${meter.aggregation === 'time_weighted_sum' ? heldSql(counted) : counted}) GROUP BY bucket, subject, hour, group_values`;
}

/** Rows with how long their value lasted within its hour, until the next event of the series. */
function heldSql(counted: string): string {
  return `
    SELECT *, leadInFrame(at, 1, at) OVER (PARTITION BY bucket, subject, hour, group_values ORDER BY time, appended_at, position, partition
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) - at AS held
    FROM (SELECT *, toUnixTimestamp64Micro(time) AS at FROM (${counted}))`;
}

/** Every group that has a rollup, with nothing in it. */
function vanishedPart(meter: MeterPart, scope: RollupScope, placeholders: Placeholders): string {
  const state = stateOf[meter.aggregation];
  return `
    SELECT bucket, subject, hour, group_values, toUInt64(0) AS part_events${state === null ? '' : `, ${state.empty} AS part_state`}
    FROM usage_rollups
    WHERE organization_id = ${placeholders.text(meter.organizationId)} AND meter_id = ${placeholders.text(rollupsName(meter))} AND ${inBuckets(scope)}
      AND hour >= toDateTime(${scope.from}, 'UTC') AND hour < toDateTime(${scope.to}, 'UTC') AND ${inCells(scope, 'hour')}
    GROUP BY bucket, subject, hour, group_values`;
}

function inBuckets(scope: Pick<RollupScope, 'buckets'>): string {
  return scope.buckets === null ? '1' : `bucket IN (${scope.buckets.join(', ')})`;
}

function inCells(scope: Pick<RollupScope, 'cells'>, hour: string): string {
  return scope.cells === null ? '1' : `(toUnixTimestamp(${hour}), bucket) IN (SELECT cell_hour, cell_bucket FROM cells)`;
}
