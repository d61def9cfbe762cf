import { countingRule, meterParts, type CountingRule, type Meter, type MeterPart } from '#domain';
import { meterSql } from './meter-sql.js';
import { isInPart, type Placeholders } from './sql-builder.js';

/** What counted events are looked for by, beside their own fields: it takes reading their data. */
export interface EventSearch {
  /** Path into data, such as `$.route`, to the texts that are let through, as a dimension of a meter would have them. */
  readonly data: Readonly<Record<string, readonly string[]>>;
  /** Only events that this meter counts. */
  readonly meter: Meter | null;
  /** Only events that one of these meters counts, or that none of them does. */
  readonly counting: { readonly isCounted: boolean; readonly meters: readonly Meter[] } | null;
}

/** A relation of rows with `event_type`, `time` and `data`, cut down to those that are looked for; `columns` are kept. */
export function searched(rows: string, { search, columns, placeholders }: { search: EventSearch; columns: string; placeholders: Placeholders }): string {
  const raw: string[] = [];
  const expressionsOf = (rule: CountingRule): ReturnType<typeof meterSql> => {
    const sql = meterSql(rule, placeholders, { prefix: `raw${raw.length}_` });
    raw.push(...sql.columns);
    return sql;
  };
  const countsPart = (part: MeterPart): string => {
    const sql = expressionsOf(countingRule(part));
    return `(event_type = ${placeholders.text(part.eventType)} AND ${isInPart(part)} AND ${sql.filter} AND isNotNull(${sql.value}))`;
  };
  const counts = (meter: Meter): string => `(${meterParts(meter).map(countsPart).join(' OR ')})`;
  const conditions = Object.entries(search.data).map(([path, texts]) => {
    const [text] = expressionsOf(countingRule({ aggregation: 'count', valuePath: null, filter: null, groupBy: { path } })).dimensions;
    return `${text} IN ${placeholders.texts(texts)}`;
  });
  if (search.meter !== null) conditions.push(counts(search.meter));
  if (search.counting !== null) {
    const counted = search.counting.meters.length === 0 ? '0' : `(${search.counting.meters.map(counts).join(' OR ')})`;
    conditions.push(search.counting.isCounted ? counted : `NOT ${counted}`);
  }
  return `SELECT ${columns} FROM (SELECT ${[columns, ...raw].join(', ')} FROM (${rows})) WHERE ${conditions.join(' AND ')}`;
}
