import { aggregatorGroup, topics } from '#contracts';
import { decimal, parseDataPath, type DataPath, type Decimal, ZERO } from '#domain';
import { assert, type EventLog, Fault } from '#platform';
import type { Database } from '../postgres/database.js';
import type { ClickHouse, Statement } from './clickhouse.js';
import { sliceScope } from './slice-scope.js';
import { boundedMemory, Placeholders } from './sql-builder.js';
import type { UsageBasis } from './usage-basis.js';
import type { UsageSlice } from './usage-query.js';
import { countedSql, type EventScope, inScopeSpans, scanRelations } from './usage-scan.js';

export interface SliceEventQuery {
  readonly organizationId: string;
  readonly meterId: string;
  /** A filter, as meters have it: events that pass it are left out. */
  readonly exempt?: string | null;
  readonly slices: readonly UsageSlice[];
  readonly basis?: UsageBasis | undefined;
}

/** What an event brought, and the first end of its slice that it lies before. */
export interface SliceEvent {
  readonly ref: string;
  readonly end: Temporal.Instant;
  readonly value: Decimal;
}

/** What a slice's events say that they cost, from its beginning until one of its ends. */
export interface StatedRow {
  readonly ref: string;
  readonly end: Temporal.Instant;
  readonly sum: Decimal;
  /** Counted events without a decimal at the path. */
  readonly missing: number;
}

const settings = `SETTINGS ${boundedMemory}, join_use_nulls=0`;
/** Says that the answer was not cut short; a broken stream looks like a shorter one. */
const endMark = 'end';

/** Reads the very events of slices, for prices that quantities don't say enough for. All slices in one query, in bounded memory. */
export class SliceEventReader {
  constructor(private readonly use: { readonly clickhouse: ClickHouse; readonly database: Database; readonly log: EventLog }) {}

  /** The events that the meter counts, slice by slice in the order of time, source and id. */
  async readEvents(query: SliceEventQuery): Promise<{ readonly freshAsOf: Temporal.Instant; readonly batches: AsyncIterable<readonly SliceEvent[]> }> {
    const freshAsOf = await this.freshAsOf();
    const scope = await this.scopeOf(query);
    return { freshAsOf, batches: scope === null ? nothing() : this.stream(eventsStatement(scope), sortedEnds(query)) };
  }

  /** The sum of the decimals at a path of counted events, until each end of each slice at which there are events. */
  async readStated(query: SliceEventQuery & { readonly path: string }): Promise<{ readonly freshAsOf: Temporal.Instant; readonly rows: readonly StatedRow[] }> {
    const freshAsOf = await this.freshAsOf();
    const path = parseDataPath(query.path);
    assert(path.ok, 'A stored price has a path that was checked when it was made.');
    const scope = await this.scopeOf(query);
    if (scope === null) return { freshAsOf, rows: [] };
    const rows = await this.use.clickhouse.query<StatedPart>(statedStatement(scope, path.path));
    return { freshAsOf, rows: cumulated(rows, sortedEnds(query)) };
  }

  private freshAsOf(): Promise<Temporal.Instant> {
    return this.use.log.completeAsOf({ topic: topics.usageEvents, group: aggregatorGroup });
  }

  /** Null where no slice has a subject. */
  private async scopeOf(query: SliceEventQuery): Promise<EventScope | null> {
    return (await sliceScope(this.use, query)).scope;
  }

  private async *stream(statement: Statement, slices: readonly SortedSlice[]): AsyncGenerator<readonly SliceEvent[]> {
    let hasEnded = false;
    for await (const texts of this.use.clickhouse.texts(statement)) {
      hasEnded = texts.at(-1) === endMark;
      const events = hasEnded ? texts.slice(0, -1) : texts;
      yield events.map((text) => eventOf(text, slices));
    }
    if (!hasEnded) throw new Fault({ code: 'clickhouse_failed', detail: 'ClickHouse broke off in the middle of the events.', retryable: true });
  }
}

interface SortedSlice {
  readonly ref: string;
  readonly ends: readonly Temporal.Instant[];
}

interface StatedPart {
  readonly ref: number;
  readonly end_index: number;
  readonly sum: string;
  readonly missing: string;
}

async function* nothing(): AsyncGenerator<never> {}

function sortedEnds(query: SliceEventQuery): SortedSlice[] {
  return query.slices.map(({ ref, ends }) => ({ ref, ends: [...ends].sort(Temporal.Instant.compare) }));
}

function eventOf(text: string, slices: readonly SortedSlice[]): SliceEvent {
  const [ref = '', index = '', value = ''] = text.split(' ');
  const slice = slices[Number(ref)];
  const end = slice?.ends[Number(index) - 1];
  assert(slice !== undefined && end !== undefined, 'An event lies before one of the ends of its slice.');
  return { ref: slice.ref, end, value: decimal(value) };
}

/** An event belongs to each slice whose customer has its subject at that time. */
function inSpans(scope: EventScope, placeholders: Placeholders, options: { readonly path: DataPath | null; readonly columns: string }): string {
  return `
    SELECT span_ref AS ref, arrayFirstIndex(span_end -> span_end > at, span_ends) AS end_index, ${options.columns}
    FROM (${countedSql(scope, placeholders, { statedPath: options.path })}) AS counted INNER JOIN spans ON counted.subject = spans.span_subject
    WHERE ${inScopeSpans}`;
}

function eventsStatement(scope: EventScope): Statement {
  const placeholders = new Placeholders();
  const events = inSpans(scope, placeholders, { path: null, columns: `at, source, id, toString(value) AS value_text` });
  return {
    sql: `${scanRelations(scope)}
      SELECT if(is_end, '${endMark}', concat(toString(ref), ' ', toString(end_index), ' ', value_text)) AS text
      FROM (SELECT 0 AS is_end, ref, end_index, at, source, id, value_text FROM (${events})
        UNION ALL SELECT 1, toUInt32(0), toUInt32(0), toInt64(0), '', '', '')
      ORDER BY is_end, ref, at, source, id ${settings}`,
    parameters: placeholders.parameters,
  };
}

function statedStatement(scope: EventScope, path: DataPath): Statement {
  const placeholders = new Placeholders();
  const events = inSpans(scope, placeholders, { path, columns: 'stated' });
  return {
    sql: `${scanRelations(scope)}
      SELECT ref, end_index, toString(sum(ifNull(stated, toDecimal256(0, 18)))) AS sum, toString(countIf(isNull(stated))) AS missing
      FROM (${events}) GROUP BY ref, end_index ORDER BY ref, end_index ${settings}`,
    parameters: placeholders.parameters,
  };
}

/** From what lies between two ends to everything until an end; ends before the first event have no row. */
function cumulated(parts: readonly StatedPart[], slices: readonly SortedSlice[]): StatedRow[] {
  const ofSlice = Map.groupBy(parts, (part) => part.ref);
  return slices.flatMap(({ ref, ends }, place) => {
    const byIndex = new Map((ofSlice.get(place) ?? []).map((part) => [part.end_index, part]));
    let sum: Decimal = ZERO;
    let missing = 0;
    let hasBegun = false;
    return ends.flatMap((end, index) => {
      const part = byIndex.get(index + 1);
      if (part !== undefined) {
        hasBegun = true;
        sum = sum.plus(decimal(part.sum));
        missing += Number(part.missing);
      }
      return hasBegun ? [{ ref, end, sum, missing }] : [];
    });
  });
}
