import { decimal } from '../money/decimal.js';
import { canonicalDecimal } from '../money/decimal-text.js';
import { compareBytewise } from '../rating/compare-bytewise.js';
import { isLongerInUtf8 } from './accepting/utf8-length.js';
import { isJsonObject } from './accepting/canonical-data.js';
import { numberTextOf, valueAt } from './data-value.js';
import { comparedDigitsMax, typeOf, unitsBound, unitsOf, unitsPerOne, type ArithmeticOperator, type Comparison, type Expression, type Literal, type TextTest } from './expression.js';
import { matchedSizeMax, matchesPattern } from './match-pattern.js';

/** Whether data passes a filter. What is unknown does not pass, negated or not. */
export function matchesFilter(data: unknown, filter: Expression): boolean {
  return truthOf(data, filter) === true;
}

/** What an expression is worth: a value of data as it stands, or a text, a decimal's in shortest form; undefined where it is unknown. */
export function expressionValue(data: unknown, expression: Expression): { readonly raw: unknown } | { readonly text: string } | undefined {
  if (typeOf(expression) === 'any') return { raw: rawOf(data, expression) };
  if (typeOf(expression) === 'string') {
    const text = stringOf(data, expression);
    return text === null ? undefined : { text };
  }
  const units = reckoned(data, expression);
  return units === null ? undefined : { text: textOfUnits(units) };
}

/** Shortest decimal of units. */
function textOfUnits(units: bigint): string {
  const digits = (units < 0n ? -units : units).toString().padStart(19, '0');
  return canonicalDecimal(`${units < 0n ? '-' : ''}${digits.slice(0, -18)}.${digits.slice(-18)}`) ?? '0';
}

/** True, false or null for unknown; `false && unknown` is false and `true || unknown` true, as CEL has it. */
function truthOf(data: unknown, expression: Expression): boolean | null {
  switch (expression.kind) {
    case 'and': {
      const [left, right] = [truthOf(data, expression.left), truthOf(data, expression.right)];
      if (left === false || right === false) return false;
      return left === null || right === null ? null : true;
    }
    case 'or': {
      const [left, right] = [truthOf(data, expression.left), truthOf(data, expression.right)];
      if (left === true || right === true) return true;
      return left === null || right === null ? null : false;
    }
    case 'not': {
      const truth = truthOf(data, expression.condition);
      return truth === null ? null : !truth;
    }
    case 'compare':
      return compare(expression.operator, scalarOf(data, expression.left), scalarOf(data, expression.right));
    case 'in':
      return isIn(scalarOf(data, expression.item), expression.list.map((item) => scalarOf(data, item)));
    case 'in_path':
      return isInArray(scalarOf(data, expression.item), valueAt(data, expression.path));
    case 'has':
      return valueAt(data, expression.path) !== undefined;
    case 'text_test': {
      const [text, part] = [stringOf(data, expression.text), stringOf(data, expression.part)];
      return text === null || part === null ? null : textTests[expression.test](text, part);
    }
    case 'matches': {
      const text = stringOf(data, expression.text);
      return text === null || isLongerInUtf8(text, matchedSizeMax) ? null : matchesPattern(expression.pattern, text);
    }
    case 'conditional':
      if (expression.type !== 'any') return chosen(data, expression, (branch) => truthOf(data, branch));
      return asTruth(rawOf(data, expression));
    case 'literal':
      return expression.literal.kind === 'boolean' ? expression.literal.value : null;
    case 'path':
      return asTruth(rawOf(data, expression));
    case 'arithmetic':
    case 'ascii_case':
    case 'double':
    case 'size':
      return null; // None of these stands as a condition.
  }
}

function asTruth(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

const textTests: Readonly<Record<TextTest, (text: string, part: string) => boolean>> = {
  startsWith: (text, part) => text.startsWith(part),
  endsWith: (text, part) => text.endsWith(part),
  contains: (text, part) => text.includes(part),
};

/** The branch that the condition chooses; null, which is unknown, where the condition is. */
function chosen<T>(data: unknown, expression: Extract<Expression, { kind: 'conditional' }>, of: (branch: Expression) => T): T | null {
  const truth = truthOf(data, expression.condition);
  return truth === null ? null : of(truth ? expression.then : expression.otherwise);
}

/** What stands in data; undefined where nothing does, and for what is worked out. */
function rawOf(data: unknown, expression: Expression): unknown {
  if (expression.kind === 'path') return valueAt(data, expression.path);
  if (expression.kind !== 'conditional') return undefined;
  const truth = truthOf(data, expression.condition);
  return truth === null ? undefined : rawOf(data, truth ? expression.then : expression.otherwise);
}

/** A number's units; null for unknown. */
function reckoned(data: unknown, expression: Expression): bigint | null {
  switch (expression.kind) {
    case 'literal':
      return expression.literal.kind === 'number' ? unitsOf(expression.literal.text) : null;
    case 'arithmetic': {
      const [left, right] = [reckoned(data, expression.left), reckoned(data, expression.right)];
      if (left === null || right === null) return null;
      const result = arithmetic[expression.operator](left, right);
      return result === null || result >= unitsBound || result <= -unitsBound ? null : result;
    }
    case 'size': {
      const size = sizeOf(data, expression.of);
      return size === null ? null : BigInt(size) * unitsPerOne;
    }
    case 'double':
      return typeOf(expression.of) === 'number' ? reckoned(data, expression.of) : doubleOf(data, expression.of);
    case 'conditional':
      if (expression.type !== 'any') return chosen(data, expression, (branch) => reckoned(data, branch));
      return unitsOf(numberTextOf(rawOf(data, expression)) ?? '');
    case 'path':
      return unitsOf(numberTextOf(rawOf(data, expression)) ?? '');
    case 'and':
    case 'or':
    case 'not':
    case 'compare':
    case 'in':
    case 'in_path':
    case 'has':
    case 'text_test':
    case 'matches':
    case 'ascii_case':
      return null; // None of these is a number.
  }
}

const arithmetic: Readonly<Record<ArithmeticOperator, (left: bigint, right: bigint) => bigint | null>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => rounded({ dividend: left * right, divisor: unitsPerOne }),
  '/': (left, right) => (right === 0n ? null : rounded({ dividend: left * unitsPerOne, divisor: right })),
  '%': (left, right) => (right === 0n ? null : left % right), // The sign is the dividend's.
};

/** A quotient to a whole number, half away from zero. */
function rounded({ dividend, divisor }: { dividend: bigint; divisor: bigint }): bigint {
  const [above, below] = [dividend < 0n ? -dividend : dividend, divisor < 0n ? -divisor : divisor];
  const quotient = (above * 2n + below) / (below * 2n);
  return dividend < 0n === divisor < 0n ? quotient : -quotient;
}

/** Characters of a text, elements of an array, members of an object. */
function sizeOf(data: unknown, expression: Expression): number | null {
  if (typeOf(expression) === 'string') {
    const text = stringOf(data, expression);
    return text === null ? null : [...text].length;
  }
  const value = rawOf(data, expression);
  if (typeof value === 'string') return [...value.toWellFormed()].length;
  if (Array.isArray(value)) return value.length;
  return isJsonObject(value) ? Object.keys(value).length : null;
}

const plainDecimal = /^-?\d+(?:\.\d+)?$/;
/** Digits of a decimal string that are looked at, zeros at its ends included. */
const decimalLengthMax = 1_000;

function doubleOf(data: unknown, expression: Expression): bigint | null {
  const value = typeOf(expression) === 'string' ? stringOf(data, expression) : rawOf(data, expression);
  const digits = numberTextOf(value) ?? (typeof value === 'string' && value.length <= decimalLengthMax && plainDecimal.test(value) ? value : null);
  return digits === null ? null : unitsOf(canonicalDecimal(digits) ?? '');
}

function stringOf(data: unknown, expression: Expression): string | null {
  if (expression.kind === 'literal') return expression.literal.kind === 'string' ? expression.literal.text : null;
  if (expression.kind === 'ascii_case') {
    const text = stringOf(data, expression.text);
    if (text === null) return null;
    return expression.to === 'lower' ? text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase());
  }
  if (expression.kind === 'conditional' && expression.type === 'string') return chosen(data, expression, (branch) => stringOf(data, branch));
  const value = rawOf(data, expression);
  return typeof value === 'string' ? value.toWellFormed() : null;
}

const comparable = new RegExp(`^-?\\d{1,${comparedDigitsMax}}(?:\\.\\d{1,${comparedDigitsMax}})?$`);

/** `other` is there, but equals nothing but null's opposite: an object, an array, a number of too many digits. */
type Scalar = Literal | { readonly kind: 'other' };

function scalarOf(data: unknown, expression: Expression): Scalar | null {
  if (expression.kind === 'literal') return expression.literal;
  switch (typeOf(expression)) {
    case 'any':
      return toScalar(rawOf(data, expression));
    case 'number': {
      const units = reckoned(data, expression);
      return units === null ? null : { kind: 'number', text: textOfUnits(units) };
    }
    case 'string': {
      const text = stringOf(data, expression);
      return text === null ? null : { kind: 'string', text };
    }
    case 'boolean':
    case 'null': {
      const truth = truthOf(data, expression);
      return truth === null ? null : { kind: 'boolean', value: truth };
    }
  }
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

/** Unknown where the list has no value of the item's type. */
function isIn(item: Scalar | null, list: readonly (Scalar | null)[]): boolean | null {
  if (item === null || item.kind === 'other') return null;
  const alike = list.filter((other) => other?.kind === item.kind);
  if (alike.length === 0) return null;
  return alike.some((other) => compare('==', item, other) === true);
}

/** False where no element has the item's type: an array of data may hold anything. */
function isInArray(item: Scalar | null, container: unknown): boolean | null {
  if (!Array.isArray(container) || item === null || item.kind === 'other') return null;
  return container.some((element) => {
    const scalar = toScalar(element);
    return scalar !== null && scalar.kind === item.kind && compare('==', scalar, item) === true;
  });
}
