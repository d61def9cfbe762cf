import { describe, expect, it } from 'vitest';
import { simulationSchema } from '../rating/simulate-price.js';
import { checkedSchema } from './checked-schema.js';
import { priceFaults } from './price-faults.js';
import { priceSchema } from './price.js';

// Goal: one answer names what has no shape and what can't be meant. Method: inputs with both, and by hand what is wrong with each.

const unit = { type: 'per_unit', unit_amount: '1' };
const usage = (price: object) => ({ key: 'calls', name: 'Calls', type: 'usage', meter: 'calls', model: unit, ...price });
const tiers = (...bounds: unknown[]) => ({ type: 'graduated', tiers: bounds.map((up_to) => ({ up_to, unit_amount: '1' })) });

const checkedPrice = checkedSchema(priceSchema, (price) => priceFaults(price, ''));

function faultsOf(schema: typeof checkedPrice | typeof simulationSchema, input: unknown): string[] {
  const { error } = schema.safeParse(input);
  return (error?.issues ?? []).flatMap((issue) => {
    const pointer = issue.path.map((part) => `/${String(part)}`).join('');
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${pointer}/${key} unknown_field`);
    return [`${pointer} ${issue.code === 'custom' ? String(issue.params?.['code']) : issue.code}`];
  }).toSorted();
}

describe('a checked price', () => {
  it.each<[string, unknown, string[]]>([
    ['nothing wrong', usage({}), []],
    ['only what can not be meant', usage({ minimum_amount: '2', maximum_amount: '1' }), ['/minimum_amount minimum_above_maximum']],
    ['a field that there is not, beside a number that is none', usage({ model: { ...unit, unit_amount: 'x' }, foo: 1 }), ['/foo unknown_field', '/model/unit_amount invalid_decimal']],
    ['a choice that there is not, beside a percent above 100', usage({ bucket: 'week', discount: { percent: '101' } }), ['/bucket invalid_value', '/discount/percent number_out_of_range']],
    ['an amount of another type in a tier, beside bounds out of order', usage({ model: { type: 'graduated', tiers: [{ up_to: '10', unit_amount: null }, { up_to: '5', unit_amount: '-1' }, { up_to: null, unit_amount: '1' }] } }),
      ['/model/tiers/0/unit_amount invalid_type', '/model/tiers/1/unit_amount negative_amount', '/model/tiers/1/up_to tiers_unsorted']],
    ['a model that there is not, beside a divisor of 0', usage({ model: { type: 'none' }, unit_conversion: { divide_by: '0', rounding: 'up' } }), ['/model/type invalid_union', '/unit_conversion/divide_by number_out_of_range']],
    ['no type, beside a filter that is none', { ...usage({ exempt: 'data..' }), type: undefined }, ['/exempt invalid_filter', '/type invalid_value']],
    // What a field asks of another is told once that other one has a shape: no order of tiers without each bound, no rollover of units that are no text.
    ['a bound of another type', usage({ model: tiers('10', true, '5', null) }), ['/model/tiers/1/up_to invalid_type']],
    ['included units of another type', usage({ included_units: [], rollover: {} }), ['/included_units invalid_type']],
    ['an element of another type', usage({ group_by: ['region', 5], maximum_amount: '-1' }), ['/group_by/1 invalid_type', '/maximum_amount negative_amount']],
    ['no object', 'none', [' invalid_type']],
  ])('names %s', (_name, input, faults) => {
    expect(faultsOf(checkedPrice, input)).toEqual(faults);
  });

  it('tells only fields without a shape where there are more than a hundred', () => {
    const input = usage({ minimum_amount: 'x', model: { type: 'graduated', tiers: Array.from({ length: 101 }, () => ({ up_to: 1 })) } });
    expect(faultsOf(checkedPrice, input)).toHaveLength(202);
  });
});

it('a simulation of the right shape is left to who knows its meter', () => {
  expect(faultsOf(simulationSchema, { price: usage({ minimum_amount: '-1' }), currency: 'usd', quantity: 'x' })).toEqual([]);
});

it('a simulation names faults of its price, currency and events beside a field that there is not', () => {
  const input = { price: { ...usage({ tier_period: 'P0D' }), bucket: 'week' }, currency: 'usd', events: [{ value: 'x' }, { value: '1', time: 'noon' }], extra: 1 };
  expect(faultsOf(simulationSchema, input)).toEqual([
    '/currency unknown_currency', '/events/0/value invalid_decimal', '/events/1/time invalid_time', '/extra unknown_field', '/price/bucket invalid_value', '/price/tier_period invalid_interval',
  ]);
});
