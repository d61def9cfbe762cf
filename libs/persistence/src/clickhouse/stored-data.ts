import { compareBytewise } from '#domain';
import { isPlainJson } from './plain-json.js';

/**
 * ClickHouse reads each JSON number as a float. So a number that a float does not carry, or that ClickHouse would write
 * with an exponent, is stored as a string of this mark and its digits; a string or name of the sender's own that begins
 * with the mark gets one more, so that taking one mark off always gives back what was sent.
 */
export const numberMark = '\uE000';

const floatDigitsMax = 15;
/** What may need a change: long or tiny numbers, exponents, the mark, lone surrogates. False alarms only cost time. */
const mayNeedMarks = /[\d.]{16}|0\.000000|\d[eE]|\\u[dD][89a-fA-F]|\uE000/;

/** Canonical JSON text as it is stored. A lone surrogate becomes U+FFFD, since ClickHouse would not read text that has one. Throws SyntaxError. */
export function toStoredData(canonical: string): string {
  if (isPlainJson(canonical)) return canonical; // Nearly always.
  const isPlain = !mayNeedMarks.test(canonical);
  const value: unknown = JSON.parse(canonical, isPlain ? undefined : markNumber);
  return isPlain ? canonical : write(value, { text: (text) => JSON.stringify(marked(text)), name: marked });
}

/** The canonical JSON text that was stored. */
export function fromStoredData(stored: string): string {
  if (!stored.includes(numberMark)) return stored;
  const text = (item: string): string => {
    if (!item.startsWith(numberMark)) return JSON.stringify(item);
    const rest = item.slice(numberMark.length);
    return rest.startsWith(numberMark) ? JSON.stringify(rest) : rest;
  };
  return write(JSON.parse(stored), { text, name: (name) => (name.startsWith(numberMark) ? name.slice(numberMark.length) : name) });
}

/** A value of JSON text whose numbers keep their digits when it is made text again. */
export function exactJsonValue(canonical: string): unknown {
  return JSON.parse(canonical, (_key: string, value: unknown, context?: { source?: string }) => {
    return typeof value === 'number' && context?.source !== undefined ? rawJson(context.source) : value;
  });
}

/** How a name of a path, or a text that a value is compared with, is written in stored data. */
export function marked(text: string): string {
  const whole = text.toWellFormed();
  return whole.startsWith(numberMark) ? numberMark + whole : whole;
}

class MarkedNumber {
  constructor(readonly digits: string) {}
}

function markNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && context?.source !== undefined && !isCarriedByFloat(context.source) ? new MarkedNumber(context.source) : value;
}

function isCarriedByFloat(digits: string): boolean {
  if (/[eE]/.test(digits) || /^-?0\.000000/.test(digits)) return false;
  return digits.replace(/^-/, '').replace('.', '').replace(/^0+/, '').length <= floatDigitsMax;
}

interface Writer {
  readonly text: (text: string) => string;
  readonly name: (name: string) => string;
}

function write(value: unknown, writer: Writer): string {
  if (typeof value === 'string') return writer.text(value);
  if (value instanceof MarkedNumber) return JSON.stringify(numberMark + value.digits);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => write(item, writer)).join(',')}]`;
  const members = Object.entries(value).map(([name, item]) => [writer.name(name), item] as const);
  members.sort(([a], [b]) => compareBytewise(a, b));
  return `{${members.map(([name, item]) => `${JSON.stringify(name)}:${write(item, writer)}`).join(',')}}`;
}

function rawJson(source: string): unknown {
  // The library's types lag behind the engine here.
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(source);
}
