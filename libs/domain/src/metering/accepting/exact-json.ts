import { canonicalNumber } from './canonical-number.js';

/** A JSON number that a float may not hold, as its canonical text; null where `canonicalNumber` refuses it. */
export class ExactNumber {
  constructor(readonly text: string | null) {}
}

const [quote, backslash, comma, colon, minus, dot] = [34, 92, 44, 58, 45, 46];
const [openBracket, closeBracket, openBrace, closeBrace] = [91, 93, 123, 125];
const [letterE, letterF, letterN, letterT] = [101, 102, 110, 116];

/** A number of so many characters and no exponent keeps its digits as a float. */
const floatLengthMax = 15;

/**
 * Whether a number in the text may lose digits as a float: one of 16 characters and more, or with an exponent. Only
 * runs of digits that begin where a number may are looked at, since ids of hexadecimal digits would alarm all the time;
 * what is left of false alarms, inside strings, costs time and changes nothing. A loop, because a regular expression for
 * it took as long as parsing.
 */
export function hasInexactNumber(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (!isDigit(text.charCodeAt(at))) continue;
    const start = at;
    while (isDigit(text.charCodeAt(at)) || text.charCodeAt(at) === dot) at += 1;
    const isLong = at - start > floatLengthMax || (text.charCodeAt(at) | 32) === letterE;
    if (isLong && mayBeginNumber(text, start)) return true;
  }
  return false;
}

function mayBeginNumber(text: string, start: number): boolean {
  const before = text.charCodeAt(start - 1) === minus ? start - 2 : start - 1;
  if (before < 0) return true;
  const code = text.charCodeAt(before);
  return code === colon || code === comma || code === openBracket || isBlank(code);
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/**
 * The value of JSON text in which every number keeps its exact value: as a number where a float holds its digits, else
 * as an ExactNumber. The text must have been parsed before: nothing is checked here. What lies deeper than any event
 * may be nested is left out. (JSON.parse with a reviver that sees the source does the same at fifteen times the cost,
 * and its recursion has no bound.)
 */
export function parseExactNumbers(text: string): unknown {
  return new ExactParser(text).value(0);
}

/** Levels that are read. An event's data may have ten, each of which takes four in OTLP's JSON, ten levels down in a request. */
const exactLevelsMax = 64;

class ExactParser {
  private at = 0;

  constructor(private readonly text: string) {}

  value(level: number): unknown {
    this.at = skipBlanks(this.text, this.at);
    const first = this.text.charCodeAt(this.at);
    if (first === quote) return this.string();
    if (first !== openBrace && first !== openBracket) return this.scalar(first);
    if (level < exactLevelsMax) return first === openBrace ? this.object(level + 1) : this.array(level + 1);
    this.at = endOfValue(this.text, this.at);
    return null;
  }

  private object(level: number): Record<string, unknown> {
    // Without a prototype `__proto__` is a name like any other.
    const object = Object.create(null) as Record<string, unknown>;
    while (this.hasNext(closeBrace)) {
      const name = this.string();
      this.at = skipBlanks(this.text, this.at) + 1;
      object[name] = this.value(level);
    }
    return object;
  }

  private array(level: number): unknown[] {
    const array: unknown[] = [];
    while (this.hasNext(closeBracket)) array.push(this.value(level));
    return array;
  }

  /** Steps over the opening bracket or a comma to the next member; over the closing one where there is none. */
  private hasNext(close: number): boolean {
    this.at = skipBlanks(this.text, this.at);
    if (this.text.charCodeAt(this.at) === close || this.at >= this.text.length) {
      this.at += 1;
      return false;
    }
    this.at = skipBlanks(this.text, this.at + 1);
    if (this.text.charCodeAt(this.at) !== close) return true;
    this.at += 1;
    return false;
  }

  private string(): string {
    const start = this.at;
    this.at = endOfString(this.text, start);
    const inner = this.text.slice(start + 1, this.at - 1);
    return inner.includes('\\') ? (JSON.parse(this.text.slice(start, this.at)) as string) : inner;
  }

  private scalar(first: number): unknown {
    const start = this.at;
    this.at = endOfScalar(this.text, start);
    if (first === letterT || first === letterF) return first === letterT;
    if (first === letterN) return null;
    const source = this.text.slice(start, this.at);
    const isFloat = source.length <= floatLengthMax && !/[eE]/.test(source);
    return isFloat ? (JSON.parse(source) as number) : new ExactNumber(canonicalNumber(source));
  }
}

/**
 * The texts of the elements of an array that begins at or after `from`, as they were sent. The text must have been
 * parsed before: nothing is checked here.
 */
export function elementTexts(text: string, from = 0): string[] {
  const texts: string[] = [];
  let at = skipBlanks(text, skipBlanks(text, from) + 1);
  while (at < text.length && text.charCodeAt(at) !== closeBracket) {
    const end = endOfValue(text, at);
    texts.push(text.slice(at, end));
    at = skipBlanks(text, end);
    if (text.charCodeAt(at) === comma) at = skipBlanks(text, at + 1);
  }
  return texts;
}

/** Where the value of an object's member begins; the last one where the name repeats, as JSON.parse takes it. -1 where there is none. */
export function memberAt(text: string, { name }: { readonly name: string }): number {
  let found = -1;
  let at = skipBlanks(text, skipBlanks(text, 0) + 1);
  while (at < text.length && text.charCodeAt(at) !== closeBrace) {
    const nameEnd = endOfString(text, at);
    const valueAt = skipBlanks(text, skipBlanks(text, nameEnd) + 1);
    if (JSON.parse(text.slice(at, nameEnd)) === name) found = valueAt;
    at = skipBlanks(text, endOfValue(text, valueAt));
    if (text.charCodeAt(at) === comma) at = skipBlanks(text, at + 1);
  }
  return found;
}

/** The text of an object's member, as it was sent; empty where there is none. */
export function memberText(text: string, member: { readonly name: string }): string {
  const at = memberAt(text, member);
  return at < 0 ? '' : text.slice(at, endOfValue(text, at));
}

function endOfValue(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (first === quote) return endOfString(text, from);
  if (first !== openBracket && first !== openBrace) return endOfScalar(text, from);
  let level = 0;
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at) - 1;
    else if (code === openBracket || code === openBrace) level += 1;
    else if ((code === closeBracket || code === closeBrace) && --level === 0) return at + 1;
  }
  return text.length;
}

function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === backslash) backslashes += 1;
    if (backslashes % 2 === 0) return at + 1;
  }
  return text.length;
}

function endOfScalar(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isBlank(text.charCodeAt(at))) {
    const code = text.charCodeAt(at);
    if (code === comma || code === closeBracket || code === closeBrace) break;
    at += 1;
  }
  return at;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}
