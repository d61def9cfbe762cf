import { canonicalNumberText } from './number-text.js';

/** Any number token that may not survive a float: long ones, and those with an exponent. False alarms only cost time. */
const mayLoseDigits = /\d[\d.]{14,}|\d[eE][+-]?\d/;
const depthMax = 64;
/** The member that holds an event's data: names in it are the sender's, and say nothing about what they hold. */
const dataField = 'data';

/** A number that is written otherwise than its float. */
class WrittenNumber {
  constructor(
    private readonly value: number,
    readonly source: string,
  ) {}

  toJSON(): number {
    return this.value;
  }
}

/**
 * Parses JSON, taking the numbers in the named fields, at any depth, by their own digits as text: a price may be sent as 0.002 or
 * "0.002", and none goes through a float. Numbers of other fields stay numbers, and so do all within `data`, where those that a
 * float can't hold are raw JSON, which JSON.stringify writes with all its digits. A field called "a.b" is one called b within one called a. Throws SyntaxError.
 */
export function parseWithDecimals(text: string, decimalFields: ReadonlySet<string>): unknown {
  if (!mayLoseDigits.test(text)) return resolved(JSON.parse(text), { decimalFields, isData: false, parent: '', depth: 0 });
  const parsed: unknown = JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    return typeof value === 'number' && context?.source !== undefined && String(value) !== context.source ? new WrittenNumber(value, context.source) : value;
  });
  return resolved(parsed, { decimalFields, isData: false, parent: '', depth: 0 });
}

interface Place {
  readonly decimalFields: ReadonlySet<string>;
  readonly isData: boolean;
  /** The member that the value stands in, lists aside. */
  readonly parent: string;
  readonly depth: number;
}

function resolved(value: unknown, place: Place): unknown {
  if (value instanceof WrittenNumber) return place.isData ? rawJson(value.source) : value.toJSON();
  if (typeof value !== 'object' || value === null || place.depth > depthMax) return value;
  const inner = { ...place, depth: place.depth + 1 };
  if (Array.isArray(value)) return value.map((item) => resolved(item, inner));
  return Object.fromEntries(Object.entries(value).map(([key, item]: [string, unknown]) => {
    const sourceOf = item instanceof WrittenNumber ? item.source : typeof item === 'number' ? String(item) : null;
    if (sourceOf !== null && !place.isData && isDecimal(key, place)) return [key, canonicalNumberText(sourceOf)];
    return [key, resolved(item, { ...inner, parent: key, isData: place.isData || key === dataField })];
  }));
}

function isDecimal(field: string, { decimalFields, parent }: Place): boolean {
  return decimalFields.has(field) || decimalFields.has(`${parent}.${field}`);
}

function rawJson(source: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(source);
}
