import { canonicalNumberText } from './number-text.js';

/** Any number token that may not survive a float: long ones, and those with an exponent. False alarms only cost time. */
const mayLoseDigits = /\d[\d.]{14,}|\d[eE][+-]?\d/;
const depthMax = 64;

/**
 * Parses JSON, taking the numbers in the named fields, at any depth, by their own digits as text: a price may be sent as 0.002 or
 * "0.002", and none goes through a float. Numbers of other fields stay numbers. Throws SyntaxError.
 */
export function parseWithDecimals(text: string, decimalFields: ReadonlySet<string>): unknown {
  if (!mayLoseDigits.test(text)) return takeDecimalsAsText(JSON.parse(text), decimalFields);
  return JSON.parse(text, function (key, value: unknown, context?: { source?: string }) {
    return typeof value === 'number' && decimalFields.has(key) ? canonicalNumberText(context?.source ?? String(value)) : value;
  });
}

function takeDecimalsAsText(value: unknown, decimalFields: ReadonlySet<string>, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > depthMax) return value;
  if (Array.isArray(value)) return value.map((item) => takeDecimalsAsText(item, decimalFields, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      decimalFields.has(key) && typeof item === 'number' ? canonicalNumberText(String(item)) : takeDecimalsAsText(item, decimalFields, depth + 1),
    ]),
  );
}
