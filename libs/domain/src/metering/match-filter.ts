import { compareBytewise } from '../rating/compare-bytewise.js';
import { decimal } from '../money/decimal.js';
import type { DataPath } from './data-path.js';
import { numberTextOf, valueAt } from './data-value.js';
import { comparedDigitsMax, type Comparison, type FilterExpression, type FilterLiteral, type FilterOperand } from './parse-filter.js';

/** Whether data passes a filter. What is unknown does not pass, negated or not. */
export function matchesFilter(data: unknown, filter: FilterExpression): boolean {
  return truthOf(data, filter) === true;
}

/** True, false or null for unknown; `false && unknown` is false and `true || unknown` true, as CEL has it. */
function truthOf(data: unknown, filter: FilterExpression): boolean | null {
  switch (filter.kind) {
    case 'and': {
      const [left, right] = [truthOf(data, filter.left), truthOf(data, filter.right)];
      if (left === false || right === false) return false;
      return left === null || right === null ? null : true;
    }
    case 'or': {
      const [left, right] = [truthOf(data, filter.left), truthOf(data, filter.right)];
      if (left === true || right === true) return true;
      return left === null || right === null ? null : false;
    }
    case 'not': {
      const truth = truthOf(data, filter.condition);
      return truth === null ? null : !truth;
    }
    case 'compare':
      return compare(filter.operator, scalarOf(data, filter.left), scalarOf(data, filter.right));
    case 'in':
      return isIn(scalarAt(data, filter.path), filter.list);
    case 'contains':
      return contains(valueAt(data, filter.path), filter.literal);
    case 'has':
      return valueAt(data, filter.path) !== undefined;
    case 'is_true': {
      const value = valueAt(data, filter.path);
      return typeof value === 'boolean' ? value : null;
    }
  }
}

const comparable = new RegExp(`^-?\\d{1,${comparedDigitsMax}}(?:\\.\\d{1,${comparedDigitsMax}})?$`);

/** `other` is there, but equals nothing but null's opposite: an object, an array, a number of too many digits. */
type Scalar = FilterLiteral | { readonly kind: 'other' };

function scalarOf(data: unknown, operand: FilterOperand): Scalar | null {
  return operand.kind === 'literal' ? operand.literal : scalarAt(data, operand.path);
}

function scalarAt(data: unknown, path: DataPath): Scalar | null {
  return toScalar(valueAt(data, path));
}

function toScalar(value: unknown): Scalar | null {
  if (value === undefined) return null;
  if (value === null) return { kind: 'null' };
  if (typeof value === 'string') return { kind: 'string', text: value.toWellFormed() };
  if (typeof value === 'boolean') return { kind: 'boolean', value };
  const text = numberTextOf(value);
  return text !== null && comparable.test(text) ? { kind: 'number', text } : { kind: 'other' };
}

function compare(operator: Comparison, left: Scalar | null, right: Scalar | null): boolean | null {
  if (left === null || right === null) return null;
  const isEquality = operator === '==' || operator === '!=';
  if (left.kind === 'null' || right.kind === 'null') return isEquality ? (left.kind === right.kind) === (operator === '==') : null;
  if (left.kind === 'other' || right.kind === 'other') return null;
  if (left.kind === 'boolean' || right.kind === 'boolean') {
    if (left.kind !== 'boolean' || right.kind !== 'boolean' || !isEquality) return null;
    return (left.value === right.value) === (operator === '==');
  }
  if (left.kind !== right.kind) return null;
  return holds(operator, left.kind === 'number' ? decimal(left.text).cmp(decimal(right.text)) : compareBytewise(left.text, right.text));
}

function holds(operator: Comparison, order: number): boolean {
  switch (operator) {
    case '==': return order === 0;
    case '!=': return order !== 0;
    case '<': return order < 0;
    case '<=': return order <= 0;
    case '>': return order > 0;
    case '>=': return order >= 0;
  }
}

/** Unknown where the list has no value of the operand's type. */
function isIn(value: Scalar | null, list: readonly FilterLiteral[]): boolean | null {
  if (value === null) return null;
  const alike = list.filter(({ kind }) => kind === value.kind);
  if (alike.length === 0) return null;
  return alike.some((literal) => compare('==', value, literal) === true);
}

function contains(container: unknown, literal: FilterLiteral): boolean | null {
  if (!Array.isArray(container)) return null;
  return container.some((item) => {
    const scalar = toScalar(item);
    return scalar !== null && scalar.kind === literal.kind && compare('==', scalar, literal) === true;
  });
}
