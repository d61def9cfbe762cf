import {
  comparedDigitsMax, matchedSizeMax, re2Of, typeOf, unitsBound, unitsOf, unitsPerOne,
  type ArithmeticOperator, type Comparison, type DataPath, type Expression, type Literal, type TextTest,
} from '#domain';
import { assert } from '#platform';
import { decimalText, exactNumber, isString, quantity, stringText } from './raw-json-sql.js';
import type { Placeholders } from './sql-builder.js';

export interface ExpressionContext {
  /** The name of the column with the JSON text at a path; empty text where there is none. */
  readonly column: (path: DataPath) => string;
  readonly placeholders: Placeholders;
}

const sqlTypes = { number: 'Nullable(Int256)', string: 'Nullable(String)', boolean: 'Nullable(UInt8)', any: 'String' } as const;
type SqlType = keyof typeof sqlTypes;

/** What takes part in a comparison. `sql` is a name, so it may be said often: JSON text of `any`, else a nullable of its type, numbers in units. */
type Operand = { readonly type: SqlType; readonly sql: string } | { readonly type: 'literal'; readonly literal: Literal };

const sqlOperator: Readonly<Record<Comparison, string>> = { '==': '=', '!=': '!=', '<': '<', '<=': '<=', '>': '>', '>=': '>=' };
const mirrored: Readonly<Record<Comparison, Comparison>> = { '==': '==', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };
const integer = (value: bigint): string => `toInt256('${value}')`;

/**
 * Says expressions in SQL. Unknown is null; SQL's logic of three values is CEL's. A value that is said more than once is given
 * a name first, or statements would grow with the power of an expression's depth.
 */
export class ExpressionSql {
  private names = 0;

  constructor(private readonly context: ExpressionContext) {}

  /** A nullable condition. */
  truth(expression: Expression): string {
    switch (expression.kind) {
      case 'and':
        return `(${this.truth(expression.left)} AND ${this.truth(expression.right)})`;
      case 'or':
        return `(${this.truth(expression.left)} OR ${this.truth(expression.right)})`;
      case 'not':
        return `(NOT ${this.truth(expression.condition)})`;
      case 'compare':
        return this.operand(expression.left, (left) => this.operand(expression.right, (right) => this.compare(expression.operator, left, right)));
      case 'in':
        return this.operand(expression.item, (item) => this.operands(expression.list, (list) => this.isIn(item, list)));
      case 'in_path': {
        const array = this.context.column(expression.path);
        return this.operand(expression.item, (item) => `if(startsWith(${array}, '[') AND ${kindOf(item)} != '', arrayExists(element -> ${this.isEqual({ type: 'any', sql: 'element' }, item)}, JSONExtractArrayRaw(${array})), NULL)`);
      }
      case 'has':
        return `(${this.context.column(expression.path)} != '')`;
      case 'text_test':
        return textTests[expression.test](this.string(expression.text), this.string(expression.part));
      case 'matches':
        return this.named('string', this.string(expression.text), (text) => `if(length(${text}) > ${matchedSizeMax}, NULL, match(${text}, ${this.context.placeholders.text(re2Of(expression.pattern))}))`);
      case 'literal':
        return expression.literal.kind === 'boolean' && expression.literal.value ? '1' : '0';
      case 'path':
      case 'conditional':
        if (expression.kind === 'conditional' && expression.type === 'boolean') return this.chosen(expression, { branch: (branch) => this.truth(branch), otherwise: 'NULL' });
        return this.raw(expression, (raw) => `if(${raw} IN ('true', 'false'), ${raw} = 'true', NULL)`);
      case 'arithmetic':
      case 'ascii_case':
      case 'double':
      case 'size':
        assert(false, 'A condition is neither a number nor a text.');
    }
  }

  /** A number in units: Nullable(Int256). */
  units(expression: Expression): string {
    switch (expression.kind) {
      case 'literal': {
        const units = expression.literal.kind === 'number' ? unitsOf(expression.literal.text) : null;
        assert(units !== null, 'A literal that is reckoned with was checked when it was read.');
        return integer(units);
      }
      case 'arithmetic':
        return this.named('number', this.units(expression.left), (left) => this.named('number', this.units(expression.right), (right) => this.withinBounds(this.reckoned(expression.operator, { left, right }))));
      case 'size':
        return `toInt256(${this.sizeOf(expression.of)}) * ${integer(unitsPerOne)}`;
      case 'double':
        return this.double(expression.of);
      case 'path':
      case 'conditional':
        if (expression.kind === 'conditional' && expression.type === 'number') return this.chosen(expression, { branch: (branch) => this.units(branch), otherwise: 'NULL' });
        return this.raw(expression, (raw) => quantityUnits(exactNumber(raw)));
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
        assert(false, 'A number is no condition and no text.');
    }
  }

  /** Gives the JSON text that an expression of any type stands for a name. */
  raw(expression: Expression, body: (name: string) => string): string {
    if (expression.kind === 'path') return body(this.context.column(expression.path));
    return this.named('any', this.rawText(expression), body);
  }

  private rawText(expression: Expression): string {
    if (expression.kind === 'path') return this.context.column(expression.path);
    assert(expression.kind === 'conditional' && expression.type === 'any', 'Only paths, and what is chosen between them, are of any type.');
    return this.chosen(expression, { branch: (branch) => this.rawText(branch), otherwise: `''` });
  }

  /** Nullable(String). */
  string(expression: Expression): string {
    if (expression.kind === 'literal' && expression.literal.kind === 'string') return this.context.placeholders.text(expression.literal.text);
    if (expression.kind === 'ascii_case') return `${expression.to}(${this.string(expression.text)})`;
    if (expression.kind === 'conditional' && expression.type === 'string') return this.chosen(expression, { branch: (branch) => this.string(branch), otherwise: 'NULL' });
    return this.raw(expression, (raw) => `if(${isString(raw)}, ${stringText(raw)}, NULL)`);
  }

  private sizeOf(expression: Expression): string {
    if (typeOf(expression) === 'string') return `lengthUTF8(${this.string(expression)})`;
    return this.raw(expression, (raw) => `multiIf(${isString(raw)}, lengthUTF8(${stringText(raw)}), startsWith(${raw}, '[') OR startsWith(${raw}, '{'), JSONLength(${raw}), NULL)`);
  }

  private double(expression: Expression): string {
    if (typeOf(expression) === 'number') return this.units(expression);
    if (typeOf(expression) === 'string') return this.named('string', this.string(expression), quantityUnits);
    return this.raw(expression, (raw) => this.named('string', decimalText(raw), quantityUnits));
  }

  /** An unknown condition chooses nothing. */
  private chosen(expression: Extract<Expression, { kind: 'conditional' }>, of: { branch: (branch: Expression) => string; otherwise: string }): string {
    return this.named('boolean', this.truth(expression.condition), (truth) => `multiIf(isNull(${truth}), ${of.otherwise}, ${truth} = 1, ${of.branch(expression.then)}, ${of.branch(expression.otherwise)})`);
  }

  private reckoned(operator: ArithmeticOperator, { left, right }: { left: string; right: string }): string {
    switch (operator) {
      case '+':
      case '-':
        return `${left} ${operator} ${right}`;
      case '*':
        return this.named('number', `${left} * ${right}`, (product) => roundedQuotient({ dividend: product, divisor: integer(unitsPerOne) }));
      case '/':
        return this.named('number', nonZero(right), (divisor) => this.named('number', `${left} * ${integer(unitsPerOne)}`, (dividend) => `if(${right} = 0, NULL, ${roundedQuotient({ dividend, divisor })})`));
      case '%':
        return `if(${right} = 0, NULL, modulo(${left}, ${nonZero(right)}))`;
    }
  }

  private withinBounds(units: string): string {
    return this.named('number', units, (result) => `if(${result} > ${integer(-unitsBound)} AND ${result} < ${integer(unitsBound)}, ${result}, NULL)`);
  }

  private operand(expression: Expression, body: (operand: Operand) => string): string {
    if (expression.kind === 'literal') return body({ type: 'literal', literal: expression.literal });
    const type = typeOf(expression);
    if (type === 'any') return this.raw(expression, (sql) => body({ type, sql }));
    assert(type !== 'null', 'Only a literal is null.');
    const sql = type === 'number' ? this.units(expression) : type === 'string' ? this.string(expression) : this.truth(expression);
    return this.named(type, sql, (name) => body({ type, sql: name }));
  }

  private operands(expressions: readonly Expression[], body: (operands: readonly Operand[]) => string): string {
    const [first, ...rest] = expressions;
    if (first === undefined) return body([]);
    return this.operand(first, (operand) => this.operands(rest, (others) => body([operand, ...others])));
  }

  private compare(operator: Comparison, left: Operand, right: Operand): string {
    if (left.type === 'literal' || (left.type !== 'any' && right.type === 'any')) return this.compare(mirrored[operator], right, left);
    if (left.type === 'any') return right.type === 'any' ? compareRaw(operator, { left: left.sql, right: right.sql }) : this.compareWith(operator, left.sql, right);
    return `(${this.comparable(left)} ${sqlOperator[operator]} ${this.comparable(right)})`;
  }

  /** What stands in data with what has a type. */
  private compareWith(operator: Comparison, raw: string, right: Operand): string {
    if (right.type === 'literal' && right.literal.kind === 'null') return `if(${raw} = '', NULL, (${raw} = 'null') = ${operator === '==' ? 1 : 0})`;
    const sign = sqlOperator[operator];
    const compared = this.comparable(right);
    const kind = right.type === 'literal' ? right.literal.kind : right.type;
    const sides: Readonly<Record<string, string>> = {
      number: `${number(raw)} ${sign} ${compared}`,
      string: `if(${isString(raw)}, ${stringText(raw)} ${sign} ${compared}, NULL)`,
      boolean: `if(${raw} IN ('true', 'false'), (${raw} = 'true') ${sign} ${compared}, NULL)`,
    };
    if (operator !== '==' && operator !== '!=') return `(${sides[kind]})`;
    // Null equals nothing but null, so a comparison with it has an answer, where there is something to compare it with.
    return `multiIf(isNull(${compared}), NULL, ${raw} = 'null', ${operator === '==' ? 0 : 1}, ${sides[kind]})`;
  }

  private comparable(operand: Operand): string {
    if (operand.type !== 'literal') return operand.type === 'number' ? `reinterpret(${operand.sql}, 'Decimal(76, 18)')` : operand.sql;
    const { literal } = operand;
    if (literal.kind === 'number') return `toDecimal256(${this.context.placeholders.text(literal.text)}, ${comparedDigitsMax})`;
    return literal.kind === 'string' ? this.context.placeholders.text(literal.text) : literal.kind === 'boolean' && literal.value ? '1' : '0';
  }

  /** Unknown where the list has no value of the item's type. */
  private isIn(item: Operand, list: readonly Operand[]): string {
    if (list.length === 0) return 'NULL';
    const literals = list.flatMap((operand) => (operand.type === 'literal' ? [operand.literal] : []));
    if (item.type === 'any' && literals.length === list.length) return this.isInLiterals(item.sql, literals);
    const kind = kindOf(item);
    const isAlike = list.map((other) => `${kind} = ${kindOf(other)}`);
    return `multiIf(${kind} = '', NULL, ${list.map((other) => this.isEqual(item, other)).join(' OR ')}, 1, ${isAlike.join(' OR ')}, 0, NULL)`;
  }

  private isInLiterals(raw: string, list: readonly Literal[]): string {
    const { placeholders } = this.context;
    const numbers = list.flatMap((literal) => (literal.kind === 'number' ? [`toDecimal256(${placeholders.text(literal.text)}, ${comparedDigitsMax})`] : []));
    const texts = list.flatMap((literal) => (literal.kind === 'string' ? [literal.text] : []));
    const booleans = list.flatMap((literal) => (literal.kind === 'boolean' ? [`'${String(literal.value)}'`] : []));
    const cases = [
      ...(texts.length > 0 ? [`${isString(raw)}, has(${placeholders.texts(texts)}, ${stringText(raw)})`] : []),
      ...(booleans.length > 0 ? [`${raw} IN ('true', 'false'), ${raw} IN (${booleans.join(', ')})`] : []),
      ...(list.some(({ kind }) => kind === 'null') ? [`${raw} = 'null', 1`] : []),
      ...(numbers.length > 0 ? [`isNotNull(${number(raw)}), has([${numbers.join(', ')}], assumeNotNull(${number(raw)}))`] : []),
    ];
    return `multiIf(${cases.join(', ')}, NULL)`;
  }

  /** Never null: what differs in type is not equal here. */
  private isEqual(left: Operand, right: Operand): string {
    const kinds = [left, right].map((operand) => (operand.type === 'literal' ? operand.literal.kind : operand.type));
    if (!kinds.includes('any') && kinds[0] !== kinds[1]) return '0';
    return `ifNull(${this.compare('==', left, right)}, 0)`;
  }

  /** Says a value once, whatever is made of it. */
  private named(type: SqlType, sql: string, body: (name: string) => string): string {
    this.names += 1;
    const name = `named${this.names}`;
    return `arrayMap(${name} -> ${body(name)}, [CAST(${sql}, '${sqlTypes[type]}')])[1]`;
  }
}

const textTests: Readonly<Record<TextTest, (text: string, part: string) => string>> = {
  startsWith: (text, part) => `startsWith(${text}, ${part})`,
  endsWith: (text, part) => `endsWith(${text}, ${part})`,
  contains: (text, part) => `(position(${text}, ${part}) > 0)`,
};

function nonZero(divisor: string): string {
  return `if(${divisor} = 0, ${integer(1n)}, ${divisor})`;
}

/** To a whole number, half away from zero. Both are names or constants. */
function roundedQuotient({ dividend, divisor }: { dividend: string; divisor: string }): string {
  const positive = (sql: string): string => `if(${sql} < 0, -${sql}, ${sql})`;
  const quotient = `intDiv(${positive(dividend)} * 2 + ${positive(divisor)}, ${positive(divisor)} * 2)`;
  return `if((${dividend} < 0) = (${divisor} < 0), 1, -1) * ${quotient}`;
}

/** The units of digits, null where they are none or too many. */
function quantityUnits(digits: string): string {
  return `reinterpret(${quantity(digits)}, 'Int256')`;
}

/** The name of a value's type; empty where it is unknown, and for what equals nothing. */
function kindOf(operand: Operand): string {
  if (operand.type === 'literal') return `'${operand.literal.kind}'`;
  const { type, sql } = operand;
  if (type !== 'any') return `if(isNull(${sql}), '', '${type}')`;
  return `multiIf(${sql} = 'null', 'null', ${isString(sql)}, 'string', ${sql} IN ('true', 'false'), 'boolean', isNotNull(${number(sql)}), 'number', '')`;
}

function compareRaw(operator: Comparison, { left, right }: { left: string; right: string }): string {
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

/** Nullable Decimal(76, 38): null for what is no number or has too many digits to be compared. */
function number(raw: string): string {
  const digits = exactNumber(raw);
  return `if(match(${digits}, '^-?[0-9]{1,${comparedDigitsMax}}(\\\\.[0-9]{1,${comparedDigitsMax}})?$'), toDecimal256OrNull(${digits}, ${comparedDigitsMax}), NULL)`;
}
