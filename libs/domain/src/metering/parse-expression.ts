import { canonicalDecimal } from '../money/decimal-text.js';
import type { DataPath } from './data-path.js';
import { comparedDigitsMax, typeOf, unitsOf, type ArithmeticOperator, type Comparison, type Expression, type Literal, type TextTest, type ValueType } from './expression.js';
import { expressionTokens, ExpressionSyntaxError, type Token } from './expression-tokens.js';
import { parsePattern } from './pattern.js';

export type ParsedExpression = { readonly ok: true; readonly expression: Expression } | { readonly ok: false; readonly detail: string };

const lengthMax = 2_000;
const nestingMax = 32;
const listMax = 200;
const pathDepthMax = 10;
/** What is reckoned, chosen or called; each makes the statement longer and deeper. */
const operationsMax = 50;
const comparisons: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
const textTests: ReadonlySet<string> = new Set(['startsWith', 'endsWith', 'contains']);
const understood =
  'understood are comparisons, &&, ||, !, in, ? :, + - * / %, has(), size(), double(), startsWith(), endsWith(), contains(), matches(), lowerAscii() and upperAscii()';

/** Reads a filter: an expression that is true or not. An answer that is not ok says in a sentence what is wrong, and at which character. */
export function parseFilter(text: string): ParsedExpression {
  if (text.length > lengthMax) return { ok: false, detail: `A filter has at most ${lengthMax} characters.` };
  return parsed(text, (parser) => parser.filter());
}

/** Reads an expression for a value: a number, a text, or whatever stands at a path. */
export function parseValueExpression(text: string): ParsedExpression {
  if (text.length > lengthMax) return { ok: false, detail: `A value has at most ${lengthMax} characters.` };
  return parsed(text, (parser) => parser.value());
}

function parsed(text: string, read: (parser: ExpressionParser) => Expression): ParsedExpression {
  try {
    return { ok: true, expression: read(new ExpressionParser(expressionTokens(text))) };
  } catch (error) {
    if (error instanceof ExpressionSyntaxError) return { ok: false, detail: error.message };
    throw error;
  }
}

/** An expression and where it begins; a list has no value of its own. */
type Part = { readonly at: number } & ({ readonly expression: Expression } | { readonly list: readonly Expression[] });
type Valued = { readonly at: number; readonly expression: Expression };

class ExpressionParser {
  private index = 0;
  private nesting = 0;
  private operations = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  filter(): Expression {
    return this.whole(condition);
  }

  value(): Expression {
    return this.whole((part) => {
      const { expression } = valued(part);
      const type = typeOf(expression);
      if (expression.kind !== 'literal' && (type === 'any' || type === 'number' || type === 'string')) return expression;
      throw new ExpressionSyntaxError('A value is a number or a text that is worked out of data, such as data.bytes / 1000.0.', part.at);
    });
  }

  private whole(as: (part: Part) => Expression): Expression {
    const expression = as(this.conditional());
    if (this.next.kind !== 'end') throw new ExpressionSyntaxError(`"${this.next.text}" is not expected here; ${understood}.`, this.next.at);
    return expression;
  }

  private get next(): Token {
    return this.tokens[this.index] as Token; // The last token is the end, which is never taken.
  }

  private take(text: string): boolean {
    if (this.next.kind === 'string' || this.next.text !== text || this.next.kind === 'end') return false;
    this.index += 1;
    return true;
  }

  private expect(text: string): void {
    if (!this.take(text)) throw new ExpressionSyntaxError(`"${text}" is expected here.`, this.next.at);
  }

  private deeper<T>(at: number, read: () => T): T {
    this.nesting += 1;
    if (this.nesting > nestingMax) throw new ExpressionSyntaxError(`An expression is nested at most ${nestingMax} levels deep.`, at);
    const result = read();
    this.nesting -= 1;
    return result;
  }

  private operation(at: number, expression: Expression): Valued {
    this.operations += 1;
    if (this.operations > operationsMax) throw new ExpressionSyntaxError(`An expression has at most ${operationsMax} operations and functions.`, at);
    return { at, expression };
  }

  private conditional(): Part {
    const chosenBy = this.chain('||', 'or', () => this.chain('&&', 'and', () => this.relation()));
    if (!this.take('?')) return chosenBy;
    const [then, otherwise] = this.deeper(chosenBy.at, () => {
      const first = valued(this.conditional());
      this.expect(':');
      return [first, valued(this.conditional())] as const;
    });
    const type = branchType(then, otherwise);
    return this.operation(chosenBy.at, { kind: 'conditional', type, condition: condition(chosenBy), then: then.expression, otherwise: otherwise.expression });
  }

  private chain(sign: string, kind: 'and' | 'or', part: () => Part): Part {
    let chained = part();
    while (this.take(sign)) chained = { at: chained.at, expression: { kind, left: condition(chained), right: condition(part()) } };
    return chained;
  }

  private relation(): Part {
    const left = this.sum();
    const sign = this.next;
    if (sign.kind === 'sign' && comparisons.has(sign.text)) {
      this.index += 1;
      return { at: left.at, expression: comparison(sign.text as Comparison, valued(left), valued(this.sum())) };
    }
    if (sign.kind !== 'name' || sign.text !== 'in') return left;
    this.index += 1;
    return { at: left.at, expression: membership(valued(left), this.sum()) };
  }

  private sum(): Part {
    return this.reckoned(['+', '-'], () => this.reckoned(['*', '/', '%'], () => this.unary()));
  }

  private reckoned(signs: readonly string[], part: () => Part): Part {
    let left = part();
    while (this.next.kind === 'sign' && signs.includes(this.next.text)) {
      const operator = this.next.text as ArithmeticOperator;
      this.index += 1;
      left = this.operation(left.at, { kind: 'arithmetic', operator, left: number(left), right: number(part()) });
    }
    return left;
  }

  private unary(): Part {
    const { at } = this.next;
    return this.deeper(at, () => {
      if (this.take('!')) return { at, expression: { kind: 'not' as const, condition: condition(this.unary()) } };
      if (this.next.text !== '-' || this.next.kind !== 'sign' || this.tokens[this.index + 1]?.kind === 'number') return this.member();
      this.index += 1;
      const zero: Expression = { kind: 'literal', literal: { kind: 'number', text: '0' } };
      return this.operation(at, { kind: 'arithmetic', operator: '-', left: zero, right: number(this.unary()) });
    });
  }

  private member(): Part {
    let of = this.primary();
    while (this.next.kind === 'sign' && this.next.text === '.') {
      const name = this.tokens[this.index + 1] as Token;
      if (name.kind !== 'name') throw new ExpressionSyntaxError('The name of a function is expected here.', name.at);
      this.index += 2;
      of = this.method(valued(of), name);
    }
    return of;
  }

  private method(of: Valued, name: Token): Part {
    const parameters = this.parameters(name);
    const isOne = name.text === 'size' || name.text === 'lowerAscii' || name.text === 'upperAscii';
    if (isOne || name.text === 'matches' || textTests.has(name.text)) {
      if (parameters.length !== (isOne ? 0 : 1)) throw new ExpressionSyntaxError(`${name.text}() takes ${isOne ? 'nothing' : 'one value'} between its brackets.`, name.at);
      return this.call(name, [of, ...parameters]);
    }
    throw unknownFunction(name);
  }

  private global(name: Token): Part {
    const parameters = this.parameters(name);
    if (name.text !== 'size' && name.text !== 'double') throw unknownFunction(name);
    if (parameters.length !== 1) throw new ExpressionSyntaxError(`${name.text}() takes one value between its brackets.`, name.at);
    return { ...this.call(name, parameters), at: name.at };
  }

  private call(name: Token, [of, part]: readonly Valued[]): Part {
    if (of === undefined) throw unknownFunction(name);
    switch (name.text) {
      case 'size':
        if (typeOf(of.expression) !== 'any' && typeOf(of.expression) !== 'string') throw new ExpressionSyntaxError('Only texts, lists and objects have a size.', of.at);
        return this.operation(of.at, { kind: 'size', of: of.expression });
      case 'double':
        if (typeOf(of.expression) === 'boolean' || typeOf(of.expression) === 'null') throw new ExpressionSyntaxError('double() reads a number or a decimal text.', of.at);
        return this.operation(of.at, { kind: 'double', of: of.expression });
      case 'lowerAscii':
      case 'upperAscii':
        return this.operation(of.at, { kind: 'ascii_case', to: name.text === 'lowerAscii' ? 'lower' : 'upper', text: string(of) });
      case 'matches':
        return this.operation(of.at, { kind: 'matches', text: string(of), pattern: patternOf(part ?? of) });
      default:
        return this.operation(of.at, { kind: 'text_test', test: name.text as TextTest, text: string(of), part: string(part ?? of) });
    }
  }

  private parameters(name: Token): Valued[] {
    if (!this.take('(')) throw new ExpressionSyntaxError(`"(" is expected here; "${name.text}" would be a function.`, this.next.at);
    const parameters: Valued[] = [];
    if (this.take(')')) return parameters;
    do parameters.push(this.deeper(this.next.at, () => valued(this.conditional())));
    while (this.take(','));
    this.expect(')');
    return parameters;
  }

  private primary(): Part {
    const token = this.next;
    if (this.take('(')) {
      const inner = this.conditional();
      this.expect(')');
      return inner;
    }
    if (this.take('[')) return { at: token.at, list: this.list() };
    if (token.kind === 'name' && token.text === 'has') return this.has();
    if (token.kind === 'name' && token.text === 'data') return { at: token.at, expression: { kind: 'path', path: this.path() } };
    if (token.kind === 'name' && this.tokens[this.index + 1]?.text === '(') {
      this.index += 1;
      return this.global(token);
    }
    return { at: token.at, expression: { kind: 'literal', literal: this.literal() } };
  }

  private has(): Part {
    const { at } = this.next;
    this.index += 1;
    this.expect('(');
    if (this.next.text !== 'data' || this.next.kind !== 'name') throw new ExpressionSyntaxError('has() takes a path into data, such as has(data.route).', this.next.at);
    const path = this.path();
    this.expect(')');
    return { at, expression: { kind: 'has', path } };
  }

  /** A name before a bracket is no member but a function's. */
  private path(): DataPath {
    const start = this.next.at;
    this.index += 1;
    const path: string[] = [];
    for (;;) {
      if (this.next.text === '.' && this.tokens[this.index + 1]?.kind === 'name' && this.tokens[this.index + 2]?.text === '(') break;
      const isDot = this.take('.');
      if (!isDot && !this.take('[')) break;
      const token = this.next;
      if (token.kind !== (isDot ? 'name' : 'string') || token.text === '') throw new ExpressionSyntaxError('The name of a member is expected here.', token.at);
      this.index += 1;
      path.push(token.text);
      if (!isDot) this.expect(']');
    }
    if (path.length === 0 || path.length > pathDepthMax) throw new ExpressionSyntaxError(`A path names a member of data, at most ${pathDepthMax} levels deep.`, start);
    return path;
  }

  private list(): Expression[] {
    const items: Expression[] = [];
    if (this.take(']')) return items;
    do {
      if (items.length >= listMax) throw new ExpressionSyntaxError(`A list has at most ${listMax} values.`, this.next.at);
      items.push(this.deeper(this.next.at, () => valued(this.conditional())).expression);
    } while (this.take(','));
    this.expect(']');
    return items;
  }

  private literal(): Literal {
    const sign = this.take('-') ? '-' : '';
    const token = this.next;
    this.index += token.kind === 'end' ? 0 : 1;
    if (token.kind === 'number') return { kind: 'number', text: comparedNumber(`${sign}${token.text}`, token.at) };
    if (token.kind === 'string') return { kind: 'string', text: token.text };
    if (token.kind === 'name' && (token.text === 'true' || token.text === 'false')) return { kind: 'boolean', value: token.text === 'true' };
    if (token.kind === 'name' && token.text === 'null') return { kind: 'null' };
    if (token.kind === 'end') throw new ExpressionSyntaxError('The expression ends too early.', token.at);
    throw new ExpressionSyntaxError(`"${token.text}" is not understood here; a value is a path such as data.status, a number, a text, true, false or null.`, token.at);
  }
}

function unknownFunction(name: Token): ExpressionSyntaxError {
  return new ExpressionSyntaxError(`The function ${name.text}() is not understood; ${understood}.`, name.at);
}

function valued(part: Part): Valued {
  if ('expression' in part) return part;
  throw new ExpressionSyntaxError('A list stands only after "in".', part.at);
}

function condition(part: Part): Expression {
  const { expression } = valued(part);
  if (typeOf(expression) === 'boolean' && expression.kind !== 'literal') return expression;
  if (typeOf(expression) === 'any') return expression;
  throw new ExpressionSyntaxError('A condition is expected here, such as data.status < 500.', part.at);
}

function number(part: Part): Expression {
  const { expression } = valued(part);
  if (expression.kind === 'literal' && expression.literal.kind === 'number' && unitsOf(expression.literal.text) === null) {
    throw new ExpressionSyntaxError('A number that is reckoned with has at most 20 digits before and 18 after the point.', part.at);
  }
  if (typeOf(expression) === 'number' || typeOf(expression) === 'any') return expression;
  throw new ExpressionSyntaxError('A number is expected here: a path, a number or what is worked out of them.', part.at);
}

function string(part: Valued): Expression {
  if (typeOf(part.expression) === 'string' || typeOf(part.expression) === 'any') return part.expression;
  throw new ExpressionSyntaxError('A text is expected here: a path or a text in quotes.', part.at);
}

function patternOf(part: Valued): Extract<Expression, { kind: 'matches' }>['pattern'] {
  const { expression } = part;
  if (expression.kind !== 'literal' || expression.literal.kind !== 'string') throw new ExpressionSyntaxError('matches() takes a pattern in quotes, such as "^/v[0-9]+/".', part.at);
  const read = parsePattern(expression.literal.text);
  if (read.ok) return read.pattern;
  throw new ExpressionSyntaxError(`This pattern is not understood: ${read.detail}.`, part.at);
}

function branchType(then: Valued, otherwise: Valued): ValueType {
  const [first, second] = [typeOf(then.expression), typeOf(otherwise.expression)];
  const type = first === 'any' ? second : first;
  if (type === 'null' || (second !== 'any' && second !== type)) {
    throw new ExpressionSyntaxError('What is chosen between has one type: two numbers, two texts or two conditions.', otherwise.at);
  }
  if (type === 'number') for (const branch of [then, otherwise]) number(branch); // A branch is reckoned with, so it has a quantity's bounds.
  return type;
}

function comparison(operator: Comparison, left: Valued, right: Valued): Expression {
  if (left.expression.kind === 'literal' && right.expression.kind === 'literal') throw new ExpressionSyntaxError('A comparison needs a path into data.', left.at);
  const [leftType, rightType] = [typeOf(left.expression), typeOf(right.expression)];
  const isOrder = operator !== '==' && operator !== '!=';
  for (const [part, type] of [[left, leftType], [right, rightType]] as const) {
    if (isOrder && (type === 'boolean' || type === 'null')) throw new ExpressionSyntaxError('Only numbers and texts have an order.', part.at);
  }
  if (leftType !== 'any' && rightType !== 'any' && leftType !== rightType) throw new ExpressionSyntaxError('These two are never of one type.', left.at);
  return { kind: 'compare', operator, left: left.expression, right: right.expression };
}

function membership(item: Valued, list: Part): Expression {
  if ('list' in list) {
    if (item.expression.kind !== 'literal') return { kind: 'in', item: item.expression, list: list.list };
    throw new ExpressionSyntaxError('Before a list of values, "in" needs a path into data, or what is worked out of one.', item.at);
  }
  if (list.expression.kind === 'path') return { kind: 'in_path', item: item.expression, path: list.expression.path };
  throw new ExpressionSyntaxError('"in" takes a value, and a list or a path to one.', list.at);
}

function comparedNumber(text: string, at: number): string {
  const canonical = canonicalDecimal(text);
  const [whole = '', fraction = ''] = (canonical ?? '').replace('-', '').split('.');
  if (canonical === null || canonical.includes('e') || whole.length > comparedDigitsMax || fraction.length > comparedDigitsMax) {
    throw new ExpressionSyntaxError(`A number has at most ${comparedDigitsMax} digits before and after the point.`, at);
  }
  return canonical;
}
