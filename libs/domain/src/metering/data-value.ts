import { canonicalData, isJsonObject } from './accepting/canonical-data.js';
import { canonicalFloat } from './accepting/canonical-number.js';
import { ExactNumber, parseExactNumbers } from './accepting/exact-json.js';
import { assert } from '../assert.js';
import type { DataPath } from './data-path.js';

/** The value of canonical JSON text, numbers exact. */
export function parseData(text: string): unknown {
  return parseExactNumbers(text);
}

/** The value that a path leads to; undefined where there is none. Only members of objects are followed, never elements of arrays. */
export function valueAt(data: unknown, path: DataPath): unknown {
  let value = data;
  for (const name of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** The digits of a number in shortest form; null for what is no number. A string is none, whatever it says. */
export function numberTextOf(value: unknown): string | null {
  if (value instanceof ExactNumber) return value.text;
  return typeof value === 'number' ? canonicalFloat(value) : null;
}

/**
 * The text by which values are grouped, filtered and told apart: strings as they are, numbers in shortest decimal,
 * objects and arrays as canonical JSON. Null for null and for what is missing. A lone surrogate becomes U+FFFD.
 */
export function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return value.toWellFormed();
  const number = numberTextOf(value);
  if (number !== null) return number;
  if (typeof value !== 'object') return String(value);
  const canonical = canonicalData({ v: value });
  assert(canonical.ok, 'Data was canonical when it was accepted.');
  return canonical.text.slice('{"v":'.length, -1);
}
