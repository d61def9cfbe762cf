import type { DataPath } from './data-path.js';
import type { Pattern } from './pattern.js';

export type Literal =
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' };

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';
export type TextTest = 'startsWith' | 'endsWith' | 'contains';

/**
 * The part of CEL that is understood. The value of an expression is a number, a text, true or false, null, or unknown, which is
 * what a missing operand, one of another type, a division by 0 and a number out of range make it.
 */
export type Expression =
  | { readonly kind: 'literal'; readonly literal: Literal }
  | { readonly kind: 'path'; readonly path: DataPath }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly condition: Expression }
  | { readonly kind: 'compare'; readonly operator: Comparison; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'in'; readonly item: Expression; readonly list: readonly Expression[] }
  /** Whether an array of data has the item. */
  | { readonly kind: 'in_path'; readonly item: Expression; readonly path: DataPath }
  | { readonly kind: 'has'; readonly path: DataPath }
  | { readonly kind: 'arithmetic'; readonly operator: ArithmeticOperator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'text_test'; readonly test: TextTest; readonly text: Expression; readonly part: Expression }
  | { readonly kind: 'matches'; readonly text: Expression; readonly pattern: Pattern }
  | { readonly kind: 'size'; readonly of: Expression }
  | { readonly kind: 'ascii_case'; readonly to: 'lower' | 'upper'; readonly text: Expression }
  /** The number of a number, or of a decimal string. */
  | { readonly kind: 'double'; readonly of: Expression }
  /** Both branches have its type, or are of any. */
  | { readonly kind: 'conditional'; readonly type: ValueType; readonly condition: Expression; readonly then: Expression; readonly otherwise: Expression };

/** What can be said of an expression's value before there is data: `any` is what stands in data. */
export type ValueType = 'number' | 'string' | 'boolean' | 'null' | 'any';

/** Digits before and after the point that take part in a comparison of values as they stand. */
export const comparedDigitsMax = 38;

/**
 * What is reckoned with is a whole number of these parts of one, as a quantity has them: 18 digits after the point, and 20
 * before it. What a product or a quotient has beyond them is rounded half away from zero.
 */
export const unitsPerOne = 10n ** 18n;
/** Exclusive. */
export const unitsBound = 10n ** 38n;

export function typeOf(expression: Expression): ValueType {
  switch (expression.kind) {
    case 'literal':
      return expression.literal.kind;
    case 'path':
      return 'any';
    case 'arithmetic':
    case 'size':
    case 'double':
      return 'number';
    case 'ascii_case':
      return 'string';
    case 'conditional':
      return expression.type;
    case 'and':
    case 'or':
    case 'not':
    case 'compare':
    case 'in':
    case 'in_path':
    case 'has':
    case 'text_test':
    case 'matches':
      return 'boolean';
  }
}

/** The units of a decimal in shortest form; null where it has too many digits to be reckoned with. */
export function unitsOf(decimalText: string): bigint | null {
  const match = /^(-?)(\d{1,20})(?:\.(\d{1,18}))?$/.exec(decimalText);
  if (match === null) return null;
  const [, sign = '', whole = '', fraction = ''] = match;
  return BigInt(`${sign}${whole}${fraction.padEnd(18, '0')}`);
}
