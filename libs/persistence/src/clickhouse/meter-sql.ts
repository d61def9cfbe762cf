import { typeOf, type CountingRule, type DataPath, type Expression } from '#domain';
import { assert } from '#platform';
import { ExpressionSql } from './expression-sql.js';
import { decimalText, quantity, stringText } from './raw-json-sql.js';
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

export interface MeterSqlOptions {
  /** A further path that is read as a decimal, beside the meter's own. */
  readonly statedPath?: DataPath | null;
  /** Events that a price does not rate. */
  readonly exempt?: Expression | null;
  /** What the names of the columns begin with: rules that stand in one select have one each. */
  readonly prefix?: string;
}

export function meterSql(rule: CountingRule, placeholders: Placeholders, { statedPath = null, exempt = null, prefix = 'raw' }: MeterSqlOptions = {}): MeterSql {
  const columns = new Map<string, { name: string; expression: string }>();
  const columnOf = (key: string, expression: () => string): string => {
    const known = columns.get(key) ?? { expression: expression(), name: `${prefix}${columns.size}` };
    columns.set(key, known);
    return known.name;
  };
  const column = (path: DataPath): string => columnOf(JSON.stringify(path), () => `JSONExtractRaw(data, ${path.map((name) => placeholders.text(marked(name))).join(', ')})`);
  // A column of its own, behind that of its path: said out three times in each value it made a statement twice as dear to work out.
  const digits = (path: DataPath): string => columnOf(`digits ${JSON.stringify(path)}`, () => decimalText(column(path)));
  const expressions = new ExpressionSql({ column, placeholders });
  const passes = rule.filter === null ? '1' : `ifNull(${expressions.truth(rule.filter)}, 0)`;
  const filter = exempt === null ? passes : `${passes} AND NOT ifNull(${expressions.truth(exempt)}, 0)`;
  const value = valueSql(expressions, rule, digits);
  const stated = statedPath === null ? 'NULL' : quantity(digits(statedPath));
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

function valueSql(expressions: ExpressionSql, { aggregation, value }: CountingRule, digits: (path: DataPath) => string): string {
  if (value === null) return '1';
  switch (typeOf(value)) {
    case 'any':
      if (aggregation !== 'unique_count' && value.kind === 'path') return quantity(digits(value.path));
      if (aggregation !== 'unique_count') return expressions.raw(value, (raw) => quantity(decimalText(raw)));
      return expressions.raw(value, (raw) => `if(${raw} = '' OR ${raw} = 'null', NULL, ${groupText(raw)})`);
    case 'string':
      return expressions.string(value);
    case 'number': {
      const number = `reinterpret(${expressions.units(value)}, 'Decimal(76, 18)')`;
      return aggregation === 'unique_count' ? `toString(${number})` : number;
    }
    case 'boolean':
    case 'null':
      assert(false, 'A value is a number, a text or what stands at a path.');
  }
}
