import type { CountingRule, DataPath } from '#domain';
import { filterSql } from './filter-sql.js';
import { stringText } from './raw-json-sql.js';
import type { Placeholders } from './sql-builder.js';
import { marked, numberMark } from './stored-data.js';

/** The expressions by which a meter counts, over a column for each path: JSON text as ClickHouse cuts it out of `data`. */
export interface MeterSql {
  /** `expression AS name`, for the innermost select over events. */
  readonly columns: readonly string[];
  /** True for events that the meter's filter lets through. */
  readonly filter: string;
  /** Nullable: what the event brings, a Decimal(76, 18), or text for unique_count; null where it does not count. `1` for count. */
  readonly value: string;
  /** One text for each dimension, in the rule's order. */
  readonly dimensions: readonly string[];
  /** Nullable: the decimal at the path that was asked for beside the meter's own. */
  readonly stated: string;
}

export function meterSql(rule: CountingRule, placeholders: Placeholders, statedPath: DataPath | null = null): MeterSql {
  const columns = new Map<string, { name: string; expression: string }>();
  const column = (path: DataPath): string => {
    const key = JSON.stringify(path);
    const known = columns.get(key) ?? {
      name: `raw${columns.size}`,
      expression: `JSONExtractRaw(data, ${path.map((name) => placeholders.text(marked(name))).join(', ')})`,
    };
    columns.set(key, known);
    return known.name;
  };
  const filter = rule.filter === null ? '1' : `ifNull(${filterSql(rule.filter, { column, placeholders })}, 0)`;
  const value = rule.valuePath === null ? '1' : valueSql(column(rule.valuePath), rule);
  const stated = statedPath === null ? 'NULL' : decimalSql(column(statedPath));
  const dimensions = rule.dimensions.map(({ path }) => groupText(column(path)));
  return { columns: [...columns.values()].map(({ name, expression }) => `${expression} AS ${name}`), filter, value, dimensions, stated };
}

function groupText(raw: string): string {
  return `multiIf(${raw} = '' OR ${raw} = 'null', '', startsWith(${raw}, '"'), ${stringText(raw)}, startsWith(${raw}, '{') OR startsWith(${raw}, '['), ${unmarkedJson(raw)}, ${raw})`;
}

/** Marks within objects and arrays: an opening quote stands after one of these signs, an escaped one after a backslash. */
function unmarkedJson(raw: string): string {
  const numbers = `replaceRegexpAll(${raw}, '([\\\\[,:{])"${numberMark}(-?[0-9][0-9.e+-]*)"', '\\\\1\\\\2')`;
  return `if(position(${raw}, '${numberMark}') = 0, ${raw}, replaceRegexpAll(${numbers}, '([\\\\[,:{])"${numberMark}${numberMark}', '\\\\1"${numberMark}'))`;
}

function valueSql(raw: string, rule: CountingRule): string {
  if (rule.aggregation === 'unique_count') return `if(${raw} = '' OR ${raw} = 'null', NULL, ${groupText(raw)})`;
  return decimalSql(raw);
}

function decimalSql(raw: string): string {
  const digits = `if(startsWith(${raw}, '"'), ${stringText(raw)}, ${raw})`;
  // The bounds of a quantity. Trailing zeros are within them, however many: they are cut without loss.
  return `if(match(${digits}, '^-?0*[0-9]{1,20}(\\\\.[0-9]{1,18}0*)?$') AND length(${digits}) <= 1000, toDecimal256OrNull(${digits}, 18), NULL)`;
}
