import { parseDataPath } from './data-path.js';
import { typeOf } from './expression.js';
import { isPathText, type Aggregation } from './meter.js';
import { parseFilter, parseValueExpression } from './parse-expression.js';
import { canonicalPercentile, percentileDigitsMax } from './percentile.js';

/** One thing wrong with a meter that has the right shape. */
export interface MeterFault {
  /** RFC 6901 JSON pointer into the body. */
  readonly pointer: string;
  readonly code: 'missing_field' | 'not_allowed' | 'invalid_path' | 'invalid_expression' | 'invalid_percentile' | 'invalid_dimension' | 'too_many_dimensions' | 'invalid_filter';
  /** A sentence that says how to mend it. */
  readonly detail: string;
}

export interface MeterInput {
  readonly aggregation: Aggregation;
  readonly valuePath: string | null;
  readonly percentile: string | null;
  readonly groupBy: Readonly<Record<string, string>>;
  readonly filter: string | null;
}

const dimensionsMax = 10;
const dimensionLengthMax = 64;
/** Names stand in group_by with commas between them, and in filter[…]; a blank at an end would be cut there. */
const dimensionName = /^(?!\s)[^\p{Cc}\p{Cs},\]]+(?<!\s)$/u;
/** A name that some readers of JSON drop. */
const droppedName = '__proto__';
/** Usage is grouped by these without any meter's saying so. */
const reservedNames = new Set(['customer', 'subject']);

/** Everything that is wrong with how a meter counts; empty where nothing is. */
export function meterFaults(input: MeterInput): MeterFault[] {
  return [...valueFaults(input), ...percentileFaults(input), ...groupFaults(input.groupBy), ...filterFaults(input.filter)];
}

function valueFaults({ aggregation, valuePath }: MeterInput): MeterFault[] {
  const pointer = '/value';
  if (aggregation === 'count') {
    return valuePath === null ? [] : [{ pointer, code: 'not_allowed', detail: 'A meter that counts events takes no value.' }];
  }
  if (valuePath === null) return [{ pointer, code: 'missing_field', detail: `A meter of ${aggregation} needs its value: a path such as $.bytes, or CEL such as data.bytes / 1000.0.` }];
  if (isPathText(valuePath)) return pathFaults({ path: valuePath, pointer });
  const parsed = parseValueExpression(valuePath);
  if (!parsed.ok) return [{ pointer, code: 'invalid_expression', detail: `${parsed.detail} A path would begin with $.` }];
  if (typeOf(parsed.expression) !== 'string' || aggregation === 'unique_count') return [];
  return [{ pointer, code: 'invalid_expression', detail: `A meter of ${aggregation} needs a number; this is a text.` }];
}

function percentileFaults({ aggregation, percentile }: MeterInput): MeterFault[] {
  const pointer = '/percentile';
  if (aggregation !== 'percentile') {
    return percentile === null ? [] : [{ pointer, code: 'not_allowed', detail: 'Only a meter of percentile takes one.' }];
  }
  if (percentile === null) return [{ pointer, code: 'missing_field', detail: 'A meter of percentile says which one, such as "95".' }];
  if (canonicalPercentile(percentile) !== null) return [];
  return [{ pointer, code: 'invalid_percentile', detail: `A percentile is a decimal from 0 to 100 with at most ${percentileDigitsMax} digits after the point, such as "99.9".` }];
}

function groupFaults(groupBy: MeterInput['groupBy']): MeterFault[] {
  const dimensions = Object.entries(groupBy);
  if (dimensions.length > dimensionsMax) return [{ pointer: '/group_by', code: 'too_many_dimensions', detail: `A meter has at most ${dimensionsMax} dimensions.` }];
  return dimensions.flatMap(([name, path]) => {
    const pointer = `/group_by/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return [...nameFaults({ name, pointer }), ...pathFaults({ path, pointer })];
  });
}

function nameFaults({ name, pointer }: { name: string; pointer: string }): MeterFault[] {
  if (reservedNames.has(name)) return [{ pointer, code: 'invalid_dimension', detail: `Usage can be grouped by ${name} anyway; call this dimension something else.` }];
  if (dimensionName.test(name) && [...name].length <= dimensionLengthMax && name !== droppedName) return [];
  return [{ pointer, code: 'invalid_dimension', detail: `The name of a dimension has 1 to ${dimensionLengthMax} characters, no comma, "]" or control character, and no blank at its ends.` }];
}

function filterFaults(filter: string | null): MeterFault[] {
  const parsed = filter === null ? null : parseFilter(filter);
  return parsed === null || parsed.ok ? [] : [{ pointer: '/filter', code: 'invalid_filter', detail: parsed.detail }];
}

function pathFaults({ path, pointer }: { path: string; pointer: string }): MeterFault[] {
  const parsed = parseDataPath(path);
  return parsed.ok ? [] : [{ pointer, code: 'invalid_path', detail: parsed.detail }];
}
