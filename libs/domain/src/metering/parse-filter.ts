import { canonicalDecimal } from '../money/decimal-text.js';
import type { DataPath } from './data-path.js';
import { filterTokens, FilterSyntaxError, type Token } from './filter-tokens.js';

export type FilterLiteral =
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' };

export type FilterOperand = { readonly kind: 'path'; readonly path: DataPath } | { readonly kind: 'literal'; readonly literal: FilterLiteral };

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** A filter as it is understood. A condition is true, false or unknown; unknown is what a missing or wrongly typed operand makes it. */
export type FilterExpression =
  | { readonly kind: 'and' | 'or'; readonly left: FilterExpression; readonly right: FilterExpression }
  | { readonly kind: 'not'; readonly condition: FilterExpression }
  | { readonly kind: 'compare'; readonly operator: Comparison; readonly left: FilterOperand; readonly right: FilterOperand }
  | { readonly kind: 'in'; readonly path: DataPath; readonly list: readonly FilterLiteral[] }
  | { readonly kind: 'contains'; readonly path: DataPath; readonly literal: FilterLiteral }
  | { readonly kind: 'has'; readonly path: DataPath }
  | { readonly kind: 'is_true'; readonly path: DataPath };

export type ParsedFilter = { readonly ok: true; readonly expression: FilterExpression } | { readonly ok: false; readonly detail: string };

const filterLengthMax = 2_000;
const nestingMax = 32;
const listMax = 200;
const pathDepthMax = 10;
/** Digits before and after the point that take part in a comparison. */
export const comparedDigitsMax = 38;
const comparisons: readonly string[] = ['==', '!=', '<', '<=', '>', '>='];

/**
 * Reads the part of CEL that a meter may filter by: comparisons, `&&`, `||`, `!`, `in`, `has()` over paths into `data`
 * and literals. An answer that is not ok says in a sentence what is wrong, and at which character.
 */
export function parseFilter(text: string): ParsedFilter {
  if (text.length > filterLengthMax) return { ok: false, detail: `A filter has at most ${filterLengthMax} characters.` };
  try {
    return { ok: true, expression: new FilterParser(filterTokens(text)).parse() };
  } catch (error) {
    if (error instanceof FilterSyntaxError) return { ok: false, detail: error.message };
    throw error;
  }
}

type Parsed = { readonly at: number } & ({ readonly operand: FilterOperand } | { readonly condition: FilterExpression } | { readonly list: readonly FilterLiteral[] });

class FilterParser {
  private index = 0;
  private nesting = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  parse(): FilterExpression {
    const condition = asCondition(this.alternatives());
    if (this.next.kind !== 'end') throw new FilterSyntaxError(`"${this.next.text}" is not expected here; only comparisons, &&, ||, !, in and has() are understood.`, this.next.at);
    return condition;
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
    if (!this.take(text)) throw new FilterSyntaxError(`"${text}" is expected here.`, this.next.at);
  }

  private alternatives(): Parsed {
    return this.chain('||', 'or', () => this.chain('&&', 'and', () => this.relation()));
  }

  private chain(sign: string, kind: 'and' | 'or', part: () => Parsed): Parsed {
    let parsed = part();
    while (this.take(sign)) parsed = { at: parsed.at, condition: { kind, left: asCondition(parsed), right: asCondition(part()) } };
    return parsed;
  }

  private relation(): Parsed {
    const left = this.unary();
    const sign = this.next;
    if (sign.kind === 'sign' && comparisons.includes(sign.text)) {
      this.index += 1;
      return { at: left.at, condition: comparison(sign.text as Comparison, left, this.unary()) };
    }
    if (sign.kind !== 'name' || sign.text !== 'in') return left;
    this.index += 1;
    return { at: left.at, condition: membership(left, this.unary()) };
  }

  private unary(): Parsed {
    const { at } = this.next;
    this.nesting += 1;
    if (this.nesting > nestingMax) throw new FilterSyntaxError(`A filter is nested at most ${nestingMax} levels deep.`, at);
    const parsed = this.take('!') ? { at, condition: { kind: 'not' as const, condition: asCondition(this.unary()) } } : this.primary();
    this.nesting -= 1;
    return parsed;
  }

  private primary(): Parsed {
    const token = this.next;
    if (this.take('(')) {
      const inner = this.alternatives();
      this.expect(')');
      return inner;
    }
    if (this.take('[')) return { at: token.at, list: this.list() };
    if (token.kind === 'name' && token.text === 'has') return this.has();
    if (token.kind === 'name' && token.text === 'data') return { at: token.at, operand: { kind: 'path', path: this.path() } };
    return { at: token.at, operand: { kind: 'literal', literal: this.literal() } };
  }

  private has(): Parsed {
    const { at } = this.next;
    this.index += 1;
    this.expect('(');
    if (this.next.text !== 'data' || this.next.kind !== 'name') throw new FilterSyntaxError('has() takes a path into data, such as has(data.route).', this.next.at);
    const path = this.path();
    this.expect(')');
    return { at, condition: { kind: 'has', path } };
  }

  private path(): DataPath {
    const start = this.next.at;
    this.index += 1;
    const path: string[] = [];
    for (;;) {
      const isDot = this.take('.');
      if (!isDot && !this.take('[')) break;
      const token = this.next;
      if (token.kind !== (isDot ? 'name' : 'string') || token.text === '') throw new FilterSyntaxError('The name of a member is expected here.', token.at);
      this.index += 1;
      path.push(token.text);
      if (!isDot) this.expect(']');
    }
    if (this.next.text === '(') throw new FilterSyntaxError('Functions other than has() are not understood.', this.next.at);
    if (path.length === 0 || path.length > pathDepthMax) throw new FilterSyntaxError(`A path names a member of data, at most ${pathDepthMax} levels deep.`, start);
    return path;
  }

  private list(): FilterLiteral[] {
    const literals: FilterLiteral[] = [];
    if (this.take(']')) return literals;
    do {
      if (literals.length >= listMax) throw new FilterSyntaxError(`A list has at most ${listMax} values.`, this.next.at);
      literals.push(this.literal());
    } while (this.take(','));
    this.expect(']');
    return literals;
  }

  private literal(): FilterLiteral {
    const sign = this.take('-') ? '-' : '';
    const token = this.next;
    this.index += token.kind === 'end' ? 0 : 1;
    if (token.kind === 'number') return { kind: 'number', text: comparedNumber(`${sign}${token.text}`, token.at) };
    if (sign === '' && token.kind === 'string') return { kind: 'string', text: token.text };
    if (sign === '' && token.kind === 'name' && (token.text === 'true' || token.text === 'false')) return { kind: 'boolean', value: token.text === 'true' };
    if (sign === '' && token.kind === 'name' && token.text === 'null') return { kind: 'null' };
    if (token.kind === 'end') throw new FilterSyntaxError('The filter ends too early.', token.at);
    throw new FilterSyntaxError(`"${token.text}" is not understood here; a value is a path such as data.status, a number, a text, true, false or null.`, token.at);
  }
}

function asCondition(parsed: Parsed): FilterExpression {
  if ('condition' in parsed) return parsed.condition;
  if ('operand' in parsed && parsed.operand.kind === 'path') return { kind: 'is_true', path: parsed.operand.path };
  throw new FilterSyntaxError('A condition is expected here, such as data.status < 500.', parsed.at);
}

function asOperand(parsed: Parsed): FilterOperand {
  if ('operand' in parsed) return parsed.operand;
  throw new FilterSyntaxError('A path or a literal is expected here.', parsed.at);
}

function comparison(operator: Comparison, left: Parsed, right: Parsed): FilterExpression {
  const operands = { left: asOperand(left), right: asOperand(right) };
  if (operands.left.kind === 'literal' && operands.right.kind === 'literal') throw new FilterSyntaxError('A comparison needs a path into data.', left.at);
  const isOrder = operator !== '==' && operator !== '!=';
  for (const [parsed, operand] of [[left, operands.left], [right, operands.right]] as const) {
    if (isOrder && operand.kind === 'literal' && operand.literal.kind !== 'number' && operand.literal.kind !== 'string') {
      throw new FilterSyntaxError('Only numbers and texts have an order.', parsed.at);
    }
  }
  return { kind: 'compare', operator, ...operands };
}

function membership(member: Parsed, list: Parsed): FilterExpression {
  const operand = asOperand(member);
  if ('list' in list) {
    if (operand.kind === 'path') return { kind: 'in', path: operand.path, list: list.list };
    throw new FilterSyntaxError('Before a list of values, "in" needs a path into data.', member.at);
  }
  const container = asOperand(list);
  if (operand.kind === 'literal' && container.kind === 'path') return { kind: 'contains', path: container.path, literal: operand.literal };
  throw new FilterSyntaxError('"in" takes a path and a list, or a value and a path.', member.at);
}

function comparedNumber(text: string, at: number): string {
  const canonical = canonicalDecimal(text);
  const [whole = '', fraction = ''] = (canonical ?? '').replace('-', '').split('.');
  if (canonical === null || canonical.includes('e') || whole.length > comparedDigitsMax || fraction.length > comparedDigitsMax) {
    throw new FilterSyntaxError(`A number has at most ${comparedDigitsMax} digits before and after the point.`, at);
  }
  return canonical;
}
