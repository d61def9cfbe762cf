import { canonicalNumberText } from './number-text.js';

const exactDigitsMax = 15;
/** Any number token that may not survive a float: long ones, and those with an exponent. False alarms only cost time. */
const mayLoseDigits = /\d[\d.]{14,}|\d[eE][+-]?\d/;

/**
 * Parses JSON so that no number loses a digit: a number with more digits than a float holds, or with an exponent,
 * becomes its own digits as text. Throws SyntaxError.
 */
export function parseExactJson(text: string): unknown {
  if (!mayLoseDigits.test(text)) return JSON.parse(text);
  return JSON.parse(text, function (_key, value: unknown, context?: { source?: string }) {
    if (typeof value !== 'number' || context?.source === undefined) return value;
    return keepsItsDigits(context.source) ? value : context.source;
  });
}

function keepsItsDigits(source: string): boolean {
  return !/[eE]/.test(source) && source.replace(/[-.]/g, '').replace(/^0+/, '').length <= exactDigitsMax;
}

const depthMax = 64;

/**
 * Replaces the numbers in the named fields by their digits as text, at any depth, so that a price may be sent as 0.002
 * or "0.002". Fields of other names are left as they are.
 */
export function takeDecimalsAsText(value: unknown, decimalFields: ReadonlySet<string>, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > depthMax) return value;
  if (Array.isArray(value)) return value.map((item) => takeDecimalsAsText(item, decimalFields, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      decimalFields.has(key) && typeof item === 'number' ? canonicalNumberText(String(item)) : takeDecimalsAsText(item, decimalFields, depth + 1),
    ]),
  );
}
