import { canonicalDecimal, withinQuantityBounds } from '../money/decimal-text.js';
import { numberTextOf, textOf, valueAt } from './data-value.js';
import { expressionValue } from './evaluate-expression.js';
import type { Aggregation, CountingRule } from './meter.js';

export type MeteredValueFault = 'value_missing' | 'value_no_decimal' | 'value_out_of_range' | 'value_unknown';

export type MeteredValue = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly code: MeteredValueFault };

const plainDecimal = /^-?\d+(?:\.\d+)?$/;
/** Longer texts are not looked at: a regular expression's stack is bounded, and a quantity has 38 digits at most. */
const lengthMax = 1_000;

/**
 * What an event brings to a meter: a decimal in shortest form, or for unique_count the value's text. A decimal string
 * in plain notation counts as its number. Bounds: 20 digits before and 18 after the point.
 */
export function meteredValue(value: unknown, aggregation: Exclude<Aggregation, 'count'>): MeteredValue {
  const text = textOf(value);
  if (text === null) return { ok: false, code: 'value_missing' };
  if (aggregation === 'unique_count') return { ok: true, text };
  const digits = numberTextOf(value) ?? (typeof value === 'string' && value.length <= lengthMax && plainDecimal.test(value) ? value : null);
  if (digits === null) return { ok: false, code: 'value_no_decimal' };
  if (digits.length > lengthMax || !withinQuantityBounds(digits)) return { ok: false, code: 'value_out_of_range' };
  return { ok: true, text: canonicalDecimal(digits) ?? digits };
}

/** What data brings to a meter by its rule; `1` to a meter that counts events. */
export function valueByRule(data: unknown, rule: Pick<CountingRule, 'aggregation' | 'value'>): MeteredValue {
  if (rule.value === null || rule.aggregation === 'count') return { ok: true, text: '1' };
  const value = expressionValue(data, rule.value);
  if (value === undefined) return { ok: false, code: 'value_unknown' };
  return 'raw' in value ? meteredValue(value.raw, rule.aggregation) : { ok: true, text: value.text };
}

/** The group that data belongs to by a rule: the text at the path of each dimension, "" where there is none. */
export function groupByRule(data: unknown, { dimensions }: Pick<CountingRule, 'dimensions'>): Record<string, string> {
  return Object.fromEntries(dimensions.map(({ name, path }) => [name, textOf(valueAt(data, path)) ?? '']));
}
