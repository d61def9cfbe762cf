import { canonicalNumber } from './canonical-number.js';

/** A JSON number that a float may not hold, as its canonical text; null where `canonicalNumber` refuses it. */
export class ExactNumber {
  constructor(readonly text: string | null) {}
}

/**
 * Whether a number in the text may lose digits as a float: one of 16 characters and more, or with an exponent. Only
 * what stands where JSON has a number is looked at, since ids of hexadecimal digits would alarm all the time; what is
 * left of false alarms costs time and changes nothing.
 */
const mayLoseDigits = /(?:"\s*:|[[,])\s*-?(?:\d[\d.]{15,}|[\d.]+[eE])/;

/** Levels of nesting that the exact parse, which recurses, goes into. An event may have ten in its data. */
const exactNestingMax = 512;

export function hasInexactNumber(text: string): boolean {
  return mayLoseDigits.test(text);
}

/**
 * The value of JSON text in which every number keeps its exact value: as a number where a float holds its digits, else
 * as an ExactNumber. The text must have been parsed before. Null where it is nested too deeply.
 */
export function parseExactNumbers(text: string): { readonly value: unknown } | null {
  if (isNestedDeeper(text, exactNestingMax)) return null;
  const value: unknown = JSON.parse(text, function (_key, item: unknown, context?: { source?: string }) {
    if (typeof item !== 'number' || context?.source === undefined) return item;
    return String(item) === context.source ? item : new ExactNumber(canonicalNumber(context.source));
  });
  return { value };
}

const [quote, backslash, comma, openBracket, closeBracket, openBrace, closeBrace] = [34, 92, 44, 91, 93, 123, 125];

function isNestedDeeper(text: string, levelsMax: number): boolean {
  let level = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at) - 1;
    else if (code === openBracket || code === openBrace) level += 1;
    else if (code === closeBracket || code === closeBrace) level -= 1;
    if (level > levelsMax) return true;
  }
  return false;
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
export function memberAt(text: string, name: string): number {
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
