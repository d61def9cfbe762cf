import { countingRule, partsOfText, rollupsName, textOfParts, unitHours, type MeterPart } from '#domain';
import { rowsLiteral, type ClickHouse } from './clickhouse.js';
import { freshPart } from './rollup-store.js';
import { boundedMemory, Placeholders } from './sql-builder.js';
import { answeredValue } from './usage-answer.js';
import { rollupAnswerSql, stateOf } from './usage-states.js';

/** Hours to compare, in seconds since 1970, both whole hours; `to` is exclusive. */
export interface VerifiedRange {
  readonly from: number;
  readonly to: number;
  /** Cells that wait to be recomputed: nobody reads their rollups. */
  readonly dirty: readonly { readonly hour: number; readonly bucket: number }[];
}

export interface ComparedRollups {
  /** Hours of a subject and group that have events or a rollup. */
  readonly groups: bigint;
  /** Events that the meter counts in them. */
  readonly events: bigint;
  readonly differences: bigint;
}

/** One hour of a subject and group whose rollup is not what its events say. Values are those of the hour, null without events. */
export interface RollupDifference {
  /** Seconds since 1970. */
  readonly hour: number;
  readonly subject: string;
  readonly group: Readonly<Record<string, string>>;
  readonly rawEvents: bigint;
  readonly rollupEvents: bigint;
  readonly rawValue: string | null;
  readonly rollupValue: string | null;
}

interface DifferenceRow {
  readonly hour_seconds: number;
  readonly subject: string;
  readonly group_values: readonly string[];
  readonly raw_count: string;
  readonly rollup_count: string;
  readonly raw_value: string;
  readonly rollup_value: string;
}

const settings = `SETTINGS ${boundedMemory}, join_use_nulls=0, transform_null_in=0`;
const keys = 'bucket, subject, hour, group_values';

/** Computes rollups once more from the raw events and compares them with those that are stored, whole state with whole state. Writes nothing. */
export class RollupVerifier {
  constructor(private readonly clickhouse: ClickHouse) {}

  async compare(meter: MeterPart, range: VerifiedRange): Promise<ComparedRollups> {
    const { relations, compared, parameters } = comparison(meter, range);
    const [row] = await this.clickhouse.query<{ groups: string; events: string; differences: string }>({
      sql: `${relations} SELECT toString(count()) AS groups, toString(sum(raw_events)) AS events, toString(countIf(is_different)) AS differences FROM (${compared}) ${settings}`,
      parameters,
    });
    return { groups: BigInt(row?.groups ?? '0'), events: BigInt(row?.events ?? '0'), differences: BigInt(row?.differences ?? '0') };
  }

  /** By hour, then subject and group. */
  async differences(meter: MeterPart, range: VerifiedRange & { readonly limit: number }): Promise<RollupDifference[]> {
    const { relations, compared, parameters } = comparison(meter, range);
    const rows = await this.clickhouse.query<DifferenceRow>({
      sql: `${relations} SELECT toUnixTimestamp(hour) AS hour_seconds, subject, group_values, toString(raw_events) AS raw_count, toString(rollup_events) AS rollup_count, raw_value, rollup_value
            FROM (${compared}) WHERE is_different ORDER BY hour, subject, group_values LIMIT ${range.limit} ${settings}`,
      parameters,
    });
    return rows.map((row) => toDifference(meter, row));
  }
}

/** One row for each hour, subject and group, with both sides and whether they differ. */
function comparison(meter: MeterPart, { from, to, dirty }: VerifiedRange): { relations: string; compared: string; parameters: Placeholders['parameters'] } {
  const placeholders = new Placeholders();
  const state = stateOf[meter.aggregation];
  const relations = dirty.length === 0 ? '' : `WITH dirty AS (SELECT * FROM ${rowsLiteral('dirty_hour UInt32, dirty_bucket UInt8', dirty.map(({ hour, bucket }) => `[${hour},${bucket}]`))})`;
  const stored = `
    SELECT ${keys}, sum(count) AS part_events${state === null ? '' : `, ${state.fromRollup} AS part_state`}
    FROM usage_rollups FINAL
    WHERE organization_id = ${placeholders.text(meter.organizationId)} AND meter_id = ${placeholders.text(rollupsName(meter))}
      AND hour >= toDateTime(${from}, 'UTC') AND hour < toDateTime(${to}, 'UTC')
    GROUP BY ${keys} HAVING part_events > 0`;
  const side = (number: number, part: string): string => `
    SELECT ${number} AS side, ${keys}, part_events, ${state === null ? '0' : 'part_state'} AS part_state, ${rollupAnswerSql(meter, { state: 'part_state', events: 'part_events' })} AS part_value
    FROM (${part}) WHERE ${dirty.length === 0 ? '1' : '(toUnixTimestamp(hour), bucket) NOT IN (SELECT dirty_hour, dirty_bucket FROM dirty)'}`;
  const raw = freshPart(meter, { from, to, buckets: null, cells: null }, placeholders);
  const compared = `
    SELECT ${keys}, sumIf(part_events, side = 0) AS raw_events, sumIf(part_events, side = 1) AS rollup_events, anyIf(part_value, side = 0) AS raw_value,
      anyIf(part_value, side = 1) AS rollup_value, raw_events != rollup_events OR ${statesDiffer(meter)} AS is_different
    FROM (${side(0, raw)} UNION ALL ${side(1, stored)}) GROUP BY ${keys}`;
  return { relations, compared, parameters: placeholders.parameters };
}

/** Sets are equal where both have as many members as their union; every other state has one text. */
function statesDiffer(meter: MeterPart): string {
  const state = stateOf[meter.aggregation];
  if (state === null) return '0';
  const united = `toString(finalizeAggregation(${state.merged('part_state', 'part_events')}))`;
  if (state.name === 'uniq') return `raw_value != rollup_value OR ${united} != raw_value`;
  return 'anyIf(toString(part_state), side = 0) != anyIf(toString(part_state), side = 1)';
}

function toDifference(meter: MeterPart, row: DifferenceRow): RollupDifference {
  const { dimensions } = countingRule(meter);
  const answered = (side: { readonly events_text: string; readonly value: string }): string | null => (side.events_text === '0' ? null : rollupAnswer(side, meter));
  return {
    hour: row.hour_seconds,
    subject: row.subject,
    group: Object.fromEntries(dimensions.map(({ name }, index) => [name, row.group_values[index] ?? ''])),
    rawEvents: BigInt(row.raw_count),
    rollupEvents: BigInt(row.rollup_count),
    rawValue: answered({ events_text: row.raw_count, value: row.raw_value }),
    rollupValue: answered({ events_text: row.rollup_count, value: row.rollup_value }),
  };
}

function rollupAnswer(side: { readonly events_text: string; readonly value: string }, meter: MeterPart): string {
  return meter.aggregation === 'time_weighted_sum' ? textOfParts(unitHours(partsOfText(side.value))) : answeredValue(side, meter);
}
