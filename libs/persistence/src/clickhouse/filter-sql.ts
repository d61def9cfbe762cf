import { comparedDigitsMax, type Comparison, type DataPath, type FilterExpression, type FilterLiteral, type FilterOperand } from '#domain';
import { isString, stringText } from './raw-json-sql.js';
import type { Placeholders } from './sql-builder.js';
import { numberMark } from './stored-data.js';

export interface FilterContext {
  /** The name of the column with the JSON text at a path; empty text where there is none. */
  readonly column: (path: DataPath) => string;
  readonly placeholders: Placeholders;
}

const scale = comparedDigitsMax;

/** A nullable condition: null is unknown. SQL's logic of three values is CEL's, so nothing else has to be said. */
export function filterSql(filter: FilterExpression, context: FilterContext): string {
  switch (filter.kind) {
    case 'and':
      return `(${filterSql(filter.left, context)} AND ${filterSql(filter.right, context)})`;
    case 'or':
      return `(${filterSql(filter.left, context)} OR ${filterSql(filter.right, context)})`;
    case 'not':
      return `(NOT ${filterSql(filter.condition, context)})`;
    case 'compare':
      return compareSql(filter, context);
    case 'in':
      return inSql(context.column(filter.path), filter.list, context);
    case 'contains': {
      const raw = context.column(filter.path);
      return `if(startsWith(${raw}, '['), arrayExists(element -> ifNull(${inSql('element', [filter.literal], context)}, 0), JSONExtractArrayRaw(${raw})), NULL)`;
    }
    case 'has':
      return `(${context.column(filter.path)} != '')`;
    case 'is_true': {
      const raw = context.column(filter.path);
      return `if(${raw} IN ('true', 'false'), ${raw} = 'true', NULL)`;
    }
  }
}

function compareSql(filter: { operator: Comparison; left: FilterOperand; right: FilterOperand }, context: FilterContext): string {
  const { operator, left, right } = filter;
  if (left.kind === 'literal' && right.kind === 'path') return compareSql({ operator: mirrored[operator], left: right, right: left }, context);
  if (left.kind !== 'path') return 'NULL'; // Two literals are refused where the filter is read.
  const raw = context.column(left.path);
  if (right.kind === 'path') return comparePaths(operator, { left: raw, right: context.column(right.path) });
  return compareLiteral(operator, raw, { literal: right.literal, context });
}

const mirrored: Readonly<Record<Comparison, Comparison>> = { '==': '==', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };
const sqlOperator: Readonly<Record<Comparison, string>> = { '==': '=', '!=': '!=', '<': '<', '<=': '<=', '>': '>', '>=': '>=' };

function compareLiteral(operator: Comparison, raw: string, right: { literal: FilterLiteral; context: FilterContext }): string {
  const { literal, context } = right;
  const sign = sqlOperator[operator];
  switch (literal.kind) {
    case 'number':
      return nullCase({ raw, otherwise: `${number(raw)} ${sign} toDecimal256(${context.placeholders.text(literal.text)}, ${scale})` }, operator);
    case 'string':
      return nullCase({ raw, otherwise: `if(${isString(raw)}, ${stringText(raw)} ${sign} ${context.placeholders.text(literal.text)}, NULL)` }, operator);
    case 'boolean':
      return nullCase({ raw, otherwise: `if(${raw} IN ('true', 'false'), ${raw} ${sign} '${String(literal.value)}', NULL)` }, operator);
    case 'null':
      return `if(${raw} = '', NULL, (${raw} = 'null') = ${operator === '==' ? 1 : 0})`;
  }
}

/** Null equals nothing but null, so a comparison with it has an answer. */
function nullCase(compared: { raw: string; otherwise: string }, operator: Comparison): string {
  const { raw, otherwise } = compared;
  if (operator !== '==' && operator !== '!=') return `(${otherwise})`;
  return `if(${raw} = 'null', ${operator === '==' ? 0 : 1}, ${otherwise})`;
}

function comparePaths(operator: Comparison, { left, right }: { left: string; right: string }): string {
  const sign = sqlOperator[operator];
  const isEquality = operator === '==' || operator === '!=';
  const cases = [
    `${left} = '' OR ${right} = '', NULL`,
    `${left} = 'null' OR ${right} = 'null', ${isEquality ? `(${left} = ${right}) = ${operator === '==' ? 1 : 0}` : 'NULL'}`,
    `${isString(left)} AND ${isString(right)}, ${stringText(left)} ${sign} ${stringText(right)}`,
    ...(isEquality ? [`${left} IN ('true', 'false') AND ${right} IN ('true', 'false'), ${left} ${sign} ${right}`] : []),
  ];
  return `multiIf(${cases.join(', ')}, ${number(left)} ${sign} ${number(right)})`;
}

/** Unknown where the list has no value of the operand's type. */
function inSql(raw: string, list: readonly FilterLiteral[], context: FilterContext): string {
  const { placeholders } = context;
  const numbers = list.flatMap((literal) => (literal.kind === 'number' ? [`toDecimal256(${placeholders.text(literal.text)}, ${scale})`] : []));
  const texts = list.flatMap((literal) => (literal.kind === 'string' ? [literal.text] : []));
  const booleans = list.flatMap((literal) => (literal.kind === 'boolean' ? [`'${String(literal.value)}'`] : []));
  const cases = [
    ...(texts.length > 0 ? [`${isString(raw)}, has(${placeholders.texts(texts)}, ${stringText(raw)})`] : []),
    ...(booleans.length > 0 ? [`${raw} IN ('true', 'false'), ${raw} IN (${booleans.join(', ')})`] : []),
    ...(list.some(({ kind }) => kind === 'null') ? [`${raw} = 'null', 1`] : []),
    ...(numbers.length > 0 ? [`isNotNull(${number(raw)}), has([${numbers.join(', ')}], assumeNotNull(${number(raw)}))`] : []),
  ];
  return cases.length === 0 ? 'NULL' : `multiIf(${cases.join(', ')}, NULL)`;
}

/** Nullable Decimal(76, 38): null for what is no number or has too many digits to be compared. */
function number(raw: string): string {
  const isMarked = `(startsWith(${raw}, '"${numberMark}') AND NOT startsWith(${raw}, '"${numberMark}${numberMark}'))`;
  const digits = `if(${isMarked}, ${stringText(raw)}, ${raw})`;
  return `if(match(${digits}, '^-?[0-9]{1,${scale}}(\\\\.[0-9]{1,${scale}})?$'), toDecimal256OrNull(${digits}, ${scale}), NULL)`;
}
