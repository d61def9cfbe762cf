import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { canonicalPrices } from './decimal-fields.js';
import { meteredPriceFaults } from './metered-price-faults.js';
import type { Matrix } from './model.js';
import { type Plan, planInputSchema } from './plan.js';
import { planFaults } from './plan-faults.js';
import { payTime, type Price, priceSchema, prorateUnit } from './price.js';
import { priceFaults } from './price-faults.js';

const usage: Price = { key: 'requests', name: 'Requests', type: 'usage', meter: 'requests', model: { type: 'per_unit', unit_amount: '0.002' } };
const fee: Price = { key: 'base', name: 'Base fee', type: 'recurring', model: { type: 'flat', amount: '49.00' } };
const plan: Plan = { key: 'pro', name: 'Pro', currency: 'USD', billing_period: 'P1M', prices: [fee, usage] };
const matrix: Matrix = { type: 'matrix', dimensions: ['region', 'model'], cells: [{ when: { region: 'eu' }, model: { type: 'per_unit', unit_amount: '0.02' } }], default: null };
const tier = (upTo: string | null, unitAmount = '1') => ({ up_to: upTo, unit_amount: unitAmount });
const graduated = (...tiers: ReturnType<typeof tier>[]) => ({ ...usage, model: { type: 'graduated' as const, tiers } });

const faultsOf = (price: Price) => priceFaults(price, '').map(({ pointer, code }) => `${pointer} ${code}`);

// Goal: each rule, with its place and its code. Method: a sound price with one thing changed.
describe('priceFaults', () => {
  const sound: [string, Price][] = [
    ['usage', usage],
    ['a fee', fee],
    ['a fee in arrears by the day', { ...fee, pay: 'in_arrears', prorate: 'day' }],
    ['a one-time price', { ...fee, type: 'one_time' }],
    ['one open tier', graduated(tier(null))],
    ['tiers with fractions as bounds', graduated(tier('0.5'), tier('0.75'), tier(null))],
    ['bounds at the limits', { ...usage, model: { type: 'per_unit', unit_amount: '999999999999.999999999999999999' }, included_units: '99999999999999999999' }],
    ['more digits than a cent has', { ...fee, model: { type: 'flat', amount: '49.005' } }],
    ['an exponent', { ...usage, model: { type: 'per_unit', unit_amount: '2e-3' } }],
    ['equal bounds', { ...usage, minimum_amount: '5.00', maximum_amount: '5' }],
    ['groups', { ...usage, group_by: ['region', 'model'] }],
    ['stairs', { ...usage, model: { type: 'stairstep', tiers: [{ up_to: '10', amount: '10' }, { up_to: null, amount: '0' }] } }],
    ['tiers with rates and maxima', { ...usage, model: { type: 'graduated_percentage', tiers: [{ up_to: '10', rate: '250', flat_amount: '1', maximum_amount: '5' }, { up_to: null, rate: '0' }] } }],
    ['a percentage with nothing given', { ...usage, model: { type: 'percentage', rate: '2.9', fixed_amount: null, free_events: null, free_amount: null, minimum_per_event: null, maximum_per_event: null } }],
    ['a percentage whose maximum of 0 is none', { ...usage, model: { type: 'percentage', rate: '2.9', minimum_per_event: '1', maximum_per_event: '0' } }],
    ['a matrix', { ...usage, model: matrix }],
    ['a matrix of converted units', { ...usage, model: matrix, unit_conversion: { divide_by: '1000', rounding: 'up' } }],
    ['a dynamic price', { ...usage, model: { type: 'dynamic', amount: '$.cost["in eur"]', multiplier: '0' } }],
    ['a discount', { ...fee, discount: { percent: '100', amount: '0.005' } }],
    ['other currencies', { ...usage, currencies: { EUR: { type: 'per_unit', unit_amount: '0.0018' }, JPY: { type: 'flat', amount: '5' } } }],
    ['hours of usage without failed calls', { ...usage, bucket: 'hour', exempt: 'data.status >= 500' }],
    ['units that roll over', { ...usage, included_units: '5', rollover: {} }],
    ['units that roll over within a bound', { ...usage, included_units: '5', rollover: { maximum_units: '2.5' }, group_by: ['region'], bucket: 'day' }],
    ['tiers that count on for a year', { ...graduated(tier('10'), tier(null)), tier_period: 'P1Y', included_units: '5' }],
    ['cells that count on', { ...usage, model: matrix, tier_period: 'P3M' }],
    ['a credit above bounds', { ...usage, sla_credit: { meter: 'latency', tiers: [{ above: '0', percent: '0' }, { above: '0.5', percent: '100' }] } }],
    ['a credit below bounds', { ...usage, sla_credit: { meter: 'uptime', per: 'all', tiers: [{ below: '99.9', percent: '10' }, { below: '-1', percent: '5' }] } }],
    ['prorated bounds of usage', { ...usage, minimum_amount: '5', prorate: 'day' }],
  ];
  it.each(sound)('finds nothing wrong with %s', (_name, price) => {
    expect(faultsOf(price)).toEqual([]);
    expect(priceSchema.safeParse(price).success).toBe(true);
  });

  const unsound: [string, Price, string[]][] = [
    ['the last tier is bounded', graduated(tier('10'), tier('20')), ['/model/tiers/1/up_to tier_not_open']],
    ['the only tier is bounded', graduated(tier('10')), ['/model/tiers/0/up_to tier_not_open']],
    ['an open tier comes first', graduated(tier(null), tier('10'), tier(null)), ['/model/tiers/0/up_to tier_open_too_early']],
    ['tiers are unsorted', graduated(tier('20'), tier('10'), tier(null)), ['/model/tiers/1/up_to tiers_unsorted']],
    ['two tiers end alike', graduated(tier('10'), tier('10.0'), tier(null)), ['/model/tiers/1/up_to tiers_unsorted']],
    ['only the tier that is out of place is named', graduated(tier('20'), tier('10'), tier('30'), tier(null)), ['/model/tiers/1/up_to tiers_unsorted']],
    ['a tier ends at 0', graduated(tier('0'), tier(null)), ['/model/tiers/0/up_to number_out_of_range']],
    ['a tier is negative', graduated(tier('-5'), tier(null)), ['/model/tiers/0/up_to negative_amount']],
    ['everything about tiers', graduated(tier('20', '-1'), tier('10', 'x'), tier('30')), [
      '/model/tiers/0/unit_amount negative_amount', '/model/tiers/1/unit_amount invalid_decimal', '/model/tiers/1/up_to tiers_unsorted', '/model/tiers/2/up_to tier_not_open',
    ]],
    ['a minimum above the maximum', { ...usage, minimum_amount: '10', maximum_amount: '9.99' }, ['/minimum_amount minimum_above_maximum']],
    ['a negative bound', { ...usage, minimum_amount: '-10' }, ['/minimum_amount negative_amount']],
    ['usage without a meter', { ...usage, meter: undefined }, ['/meter missing_field']],
    ['a meter on a fee', { ...fee, meter: 'requests' }, ['/meter not_allowed']],
    ['a meter on a one-time price', { ...fee, type: 'one_time', meter: 'requests' }, ['/meter not_allowed']],
    ['usage in advance', { ...usage, pay: 'in_advance' }, ['/pay not_allowed']],
    ['a one-time price in arrears', { ...fee, type: 'one_time', pay: 'in_arrears' }, ['/pay not_allowed']],
    ['a prorated one-time price', { ...fee, type: 'one_time', prorate: true }, ['/prorate not_allowed']],
    ['groups of a fee', { ...fee, group_by: ['region'] }, ['/group_by not_allowed']],
    ['a group twice', { ...usage, group_by: ['region', 'model', 'region'] }, ['/group_by/2 duplicate_group']],
    ['an empty package', { ...usage, model: { type: 'package', package_size: '0', package_amount: '5' } }, ['/model/package_size number_out_of_range']],
    ['division by 0', { ...usage, unit_conversion: { divide_by: '0', rounding: 'up' } }, ['/unit_conversion/divide_by number_out_of_range']],
    ['NaN', { ...fee, model: { type: 'flat', amount: 'NaN' } }, ['/model/amount number_out_of_range']],
    ['-Infinity', { ...fee, model: { type: 'flat', amount: '-Infinity' } }, ['/model/amount number_out_of_range']],
    ['no decimal', { ...fee, model: { type: 'flat', amount: '1,50' } }, ['/model/amount invalid_decimal']],
    ['an empty text', { ...fee, model: { type: 'flat', amount: '' } }, ['/model/amount invalid_decimal']],
    ['13 digits before the point', { ...usage, model: { type: 'per_unit', unit_amount: '1000000000000' } }, ['/model/unit_amount number_out_of_range']],
    ['19 digits after the point', { ...usage, model: { type: 'per_unit', unit_amount: '0.0000000000000000001' } }, ['/model/unit_amount number_out_of_range']],
    ['21 digits of included units', { ...usage, included_units: '100000000000000000000' }, ['/included_units number_out_of_range']],
    ['stairs are faulty', { ...usage, model: { type: 'stairstep', tiers: [{ up_to: '20', amount: '-1' }, { up_to: '10', amount: '2' }] } }, [
      '/model/tiers/0/amount negative_amount', '/model/tiers/1/up_to tier_not_open', '/model/tiers/1/up_to tiers_unsorted',
    ]],
    ['a tier with a rate is faulty', { ...usage, model: { type: 'graduated_percentage', tiers: [{ up_to: null, rate: 'much', maximum_amount: '-1' }] } }, [
      '/model/tiers/0/rate invalid_decimal', '/model/tiers/0/maximum_amount negative_amount',
    ]],
    ['everything about a percentage', { ...usage, model: { type: 'percentage', rate: '-1', fixed_amount: 'x', free_amount: '1e40', minimum_per_event: '2', maximum_per_event: '1' } }, [
      '/model/rate negative_amount', '/model/fixed_amount invalid_decimal', '/model/free_amount number_out_of_range', '/model/minimum_per_event minimum_above_maximum',
    ]],
    ['fields beside a percentage', { ...usage, model: { type: 'percentage', rate: '1' }, included_units: '5', unit_conversion: { divide_by: '2', rounding: 'up' }, group_by: ['region'] }, [
      '/included_units not_allowed', '/unit_conversion not_allowed', '/group_by not_allowed',
    ]],
    ['fields beside a dynamic price', { ...usage, model: { type: 'dynamic', amount: '$.cost' }, included_units: '5', unit_conversion: { divide_by: '2', rounding: 'up' }, group_by: ['region'] }, [
      '/included_units not_allowed', '/unit_conversion not_allowed', '/group_by not_allowed',
    ]],
    ['no path', { ...usage, model: { type: 'dynamic', amount: 'cost', multiplier: '-1' } }, ['/model/amount invalid_path', '/model/multiplier negative_amount']],
    ['fields beside a matrix', { ...usage, model: matrix, included_units: '5', group_by: ['region'] }, ['/included_units not_allowed', '/group_by not_allowed']],
    ['a matrix of a fee', { ...fee, model: matrix }, ['/model/type not_allowed']],
    ['a percentage of a one-time price', { ...fee, type: 'one_time', model: { type: 'percentage', rate: '1' } }, ['/model/type not_allowed']],
    ['everything about a matrix', {
      ...usage,
      model: {
        type: 'matrix', dimensions: ['region', 'model', 'region'], default: { type: 'flat', amount: 'x' },
        cells: [
          { when: { region: 'eu', model: 'a' }, model: { type: 'flat', amount: '-1' } }, { when: { model: 'a', region: 'eu' }, model: { type: 'flat', amount: '1' } },
          { when: { 'a/b~c': '' }, model: { type: 'flat', amount: '1' } },
        ],
      },
    }, [
      '/model/dimensions/2 duplicate_dimension', '/model/cells/0/model/amount negative_amount', '/model/cells/1/when duplicate_cell',
      '/model/cells/2/when/a~1b~0c unknown_dimension', '/model/default/amount invalid_decimal',
    ]],
    ['an exemption that is no filter', { ...usage, exempt: 'status >' }, ['/exempt invalid_filter']],
    ['an exemption of a fee', { ...fee, exempt: 'data.status >= 500' }, ['/exempt not_allowed']],
    ['buckets of a fee', { ...fee, bucket: 'day' }, ['/bucket not_allowed']],
    ['buckets of a percentage', { ...usage, bucket: 'day', model: { type: 'percentage', rate: '1' } }, ['/bucket not_allowed']],
    ['a discount of nothing', { ...usage, discount: {} }, ['/discount missing_field']],
    ['everything about a discount', { ...usage, discount: { percent: '100.1', amount: '-1' } }, ['/discount/percent number_out_of_range', '/discount/amount negative_amount']],
    ['no currency and a faulty model', { ...usage, currencies: { eur: { type: 'per_unit', unit_amount: '1' }, JPY: { type: 'per_unit', unit_amount: '-1' } } }, [
      '/currencies/eur unknown_currency', '/currencies/JPY/unit_amount negative_amount',
    ]],
    ['fields beside a model in another currency', { ...usage, included_units: '5', currencies: { EUR: { type: 'percentage', rate: '1' } } }, ['/included_units not_allowed']],
    ['nothing that could roll over', { ...usage, rollover: { maximum_units: '5' } }, ['/rollover missing_field']],
    ['no unit may roll over', { ...usage, included_units: '5', rollover: { maximum_units: '0' } }, ['/rollover/maximum_units number_out_of_range']],
    ['a negative bound of a rollover', { ...usage, included_units: '5', rollover: { maximum_units: '-1' } }, ['/rollover/maximum_units negative_amount']],
    ['a fee rolls over', { ...fee, included_units: '5', rollover: {} }, ['/rollover not_allowed']],
    ['a percentage rolls over', { ...usage, model: { type: 'percentage', rate: '1' }, rollover: {} }, ['/rollover not_allowed']],
    ['a matrix rolls over', { ...usage, model: matrix, rollover: {} }, ['/rollover not_allowed']],
    ['no interval for tiers', { ...usage, tier_period: 'yearly' }, ['/tier_period invalid_interval']],
    ['a fee counts on', { ...fee, tier_period: 'P1Y' }, ['/tier_period not_allowed']],
    ['tiers of hours count on', { ...usage, tier_period: 'P1Y', bucket: 'hour' }, ['/tier_period not_allowed']],
    ['units of a tier period roll over', { ...usage, tier_period: 'P1Y', included_units: '5', rollover: {} }, ['/tier_period not_allowed']],
    ['a percentage counts on', { ...usage, model: { type: 'percentage', rate: '1' }, tier_period: 'P1Y' }, ['/tier_period not_allowed']],
    ['a dynamic price counts on', { ...usage, model: { type: 'dynamic', amount: '$.cost' }, tier_period: 'P1Y' }, ['/tier_period not_allowed']],
    ['a credit of a fee', { ...fee, sla_credit: { meter: 'latency', tiers: [{ above: '1', percent: '1' }] } }, ['/sla_credit not_allowed']],
    ['a credit without a meter', { ...usage, sla_credit: { tiers: [{ above: '1', percent: '1' }] } }, ['/sla_credit/meter missing_field']],
    ['a credit without a bound', { ...usage, sla_credit: { meter: 'latency', tiers: [{ percent: '1' }] } }, ['/sla_credit/tiers/0/above missing_field']],
    ['bounds on two sides', { ...usage, sla_credit: { meter: 'latency', tiers: [{ above: '1', percent: '1' }, { below: '2', percent: '1' }, { above: '3', below: '9', percent: '1' }] } }, [
      '/sla_credit/tiers/1/below not_allowed', '/sla_credit/tiers/2/below not_allowed',
    ]],
    ['bounds above that fall', { ...usage, sla_credit: { meter: 'latency', tiers: [{ above: '2', percent: '1' }, { above: '2.0', percent: '1' }] } }, ['/sla_credit/tiers/1/above tiers_unsorted']],
    ['bounds below that rise', { ...usage, sla_credit: { meter: 'latency', tiers: [{ below: '2', percent: '1' }, { below: '3', percent: '1' }] } }, ['/sla_credit/tiers/1/below tiers_unsorted']],
    ['everything about a credit', { ...usage, sla_credit: { meter: 'latency', tiers: [{ above: 'x', percent: '101' }, { above: '1e40', percent: '-1' }] } }, [
      '/sla_credit/tiers/0/above invalid_decimal', '/sla_credit/tiers/0/percent number_out_of_range', '/sla_credit/tiers/1/above number_out_of_range', '/sla_credit/tiers/1/percent negative_amount',
    ]],
    ['a hostile exponent', { ...usage, included_units: '1e999999999' }, ['/included_units number_out_of_range']],
  ];
  it.each(unsound)('finds that %s', (_name, price, faults) => {
    expect(faultsOf(price)).toEqual(faults);
  });

  it('needs no meter where a price is only tried out', () => {
    expect(priceFaults({ ...usage, meter: undefined }, '', { meterOptional: true })).toEqual([]);
  });

  it('says how to mend it', () => {
    expect(priceFaults(graduated(tier('10')), '/prices/3')).toEqual([
      {
        pointer: '/prices/3/model/tiers/0/up_to',
        code: 'tier_not_open',
        detail: 'The last tier must be open, so that every quantity has a price; set its up_to to null or add an open tier.',
      },
    ]);
  });
});

describe('meteredPriceFaults', () => {
  const meter = { key: 'requests', aggregation: 'count' as const, groupBy: { region: '$.region' } };
  const found = (price: Price) => meteredPriceFaults(price, { meter, pointer: '/prices/0' }).map(({ pointer, code }) => `${pointer} ${code}`);

  it.each<[string, Price, string[]]>([
    ['what the meter has', { ...usage, group_by: ['region'] }, []],
    ['a group that it lacks', { ...usage, group_by: ['region', 'model', '__proto__'] }, ['/prices/0/group_by/1 unknown_group', '/prices/0/group_by/2 unknown_group']],
    ['a dimension that it lacks', { ...usage, model: matrix }, ['/prices/0/model/dimensions/1 unknown_dimension']],
    ['a percentage of a count', { ...usage, model: { type: 'percentage', rate: '1' } }, ['/prices/0/model/type meter_not_sum']],
    ['models in other currencies too', { ...usage, currencies: { EUR: matrix, JPY: { type: 'percentage', rate: '1' } } }, [
      '/prices/0/currencies/EUR/dimensions/1 unknown_dimension', '/prices/0/currencies/JPY/type meter_not_sum',
    ]],
  ])('finds %s', (_name, price, faults) => {
    expect(found(price)).toEqual(faults);
  });

  it('says what to do instead', () => {
    expect(meteredPriceFaults({ ...usage, group_by: ['zone'] }, { meter, pointer: '' }).map(({ detail }) => detail)).toEqual([
      'The meter has no such dimension in its group_by; use one of region, or make a meter that has it.']);
  });
});

describe('planFaults', () => {
  it('wants one model for each currency', () => {
    const price: Price = { ...usage, currencies: { USD: { type: 'flat', amount: '1' }, EUR: { type: 'flat', amount: '1' } } };
    expect(planFaults({ ...plan, prices: [fee, price] }).map(({ pointer, code }) => `${pointer} ${code}`)).toEqual(['/prices/1/currencies/USD duplicate_currency']);
  });

  it.each([
    ['P1M', 'P1Y', []], ['P1M', 'P3M', []], ['P1M', 'P1M', []], ['P1D', 'P2W', []], ['P1Y', 'P2Y', []], ['P3M', 'P1Y', []],
    ['P1M', 'P4W', ['/prices/0/tier_period invalid_interval']], ['P2M', 'P3M', ['/prices/0/tier_period invalid_interval']], ['P1Y', 'P1M', ['/prices/0/tier_period invalid_interval']],
    ['P2W', 'P10D', ['/prices/0/tier_period invalid_interval']], ['monthly', 'P1Y', ['/billing_period invalid_interval']],
  ])('of a plan that bills every %s, tiers that begin anew every %s', (billingPeriod, tierPeriod, faults) => {
    const counting = { ...plan, billing_period: billingPeriod, prices: [{ ...usage, tier_period: tierPeriod }] };
    expect(planFaults(counting).map(({ pointer, code }) => `${pointer} ${code}`)).toEqual(faults);
  });

  it('finds nothing wrong with a sound plan', () => {
    expect(planInputSchema.parse(plan)).toEqual(plan);
    expect(planFaults(plan)).toEqual([]);
    expect(planFaults({ ...plan, prices: [] })).toEqual([]);
  });

  it('names everything at once', () => {
    const faulty: Plan = {
      ...plan,
      currency: 'XYZ',
      billing_period: 'P1M1D',
      prices: [fee, { ...usage, key: 'base', meter: undefined }],
      entitlements: [
        { feature: 'seats', type: 'static' },
        { feature: 'calls', type: 'metered' },
        { feature: 'seats', type: 'boolean', value: '1', limit: '5' },
        { feature: 'export', type: 'metered', limit: '-1' },
        { feature: 'import', type: 'metered', limit: null },
      ],
    };
    expect(planFaults(faulty).map(({ pointer, code }) => `${pointer} ${code}`)).toEqual([
      '/currency unknown_currency',
      '/billing_period invalid_interval',
      '/prices/1/meter missing_field',
      '/prices/1/key duplicate_key',
      '/entitlements/0/value missing_field',
      '/entitlements/1/limit missing_field',
      '/entitlements/2/value not_allowed',
      '/entitlements/2/limit not_allowed',
      '/entitlements/3/limit negative_amount',
      '/entitlements/2/feature duplicate_feature',
    ]);
  });
});

describe('planInputSchema', () => {
  it.each<[string, object]>([
    ['an unknown field', { ...plan, colour: 'red' }],
    ['an unknown field of a price', { ...plan, prices: [{ ...usage, rebate: { percent: '5' } }] }],
    ['an unknown field of a tier', { ...plan, prices: [graduated({ ...tier(null), ...{ to: '5' } })] }],
    ['an unknown model', { ...plan, prices: [{ ...usage, model: { type: 'auction' } }] }],
    ['a percentage in a cell', { ...plan, prices: [{ ...usage, model: { ...matrix, cells: [{ when: {}, model: { type: 'percentage', rate: '1' } }] } }] }],
    ['half a free event', { ...plan, prices: [{ ...usage, model: { type: 'percentage', rate: '1', free_events: 0.5 } }] }],
    ['a matrix without dimensions', { ...plan, prices: [{ ...usage, model: { ...matrix, dimensions: [] } }] }],
    ['a model without its amount', { ...plan, prices: [{ ...usage, model: { type: 'flat' } }] }],
    ['no tiers', { ...plan, prices: [graduated()] }],
    ['a decimal as a number', { ...plan, prices: [{ ...usage, model: { type: 'flat', amount: 5 } }] }],
    ['a key like an id', { ...plan, key: 'plan_pro' }],
    ['a key with a space', { ...plan, key: 'my plan' }],
    ['an empty name', { ...plan, name: '' }],
    ['half a trial day', { ...plan, trial_days: 1.5 }],
    ['no prices field', { ...plan, prices: undefined }],
  ])('refuses %s', (_name, body) => {
    expect(planInputSchema.safeParse(body).success).toBe(false);
  });

  it.each(['pro', 'Pro-2.0:eu_west', '0', 'planning', 'a'.repeat(100)])('takes %s as a key', (key) => {
    expect(planInputSchema.safeParse({ ...plan, key }).success).toBe(true);
  });

  it('can be published', () => {
    expect(z.toJSONSchema(planInputSchema)).toMatchObject({ type: 'object', required: ['key', 'name', 'currency', 'billing_period', 'prices'] });
  });
});

describe('defaults', () => {
  it.each([
    ['recurring', undefined, 'second', 'in_advance'],
    ['recurring', 'day', 'day', 'in_advance'],
    ['recurring', true, 'second', 'in_advance'],
    ['recurring', false, 'none', 'in_advance'],
    ['usage', undefined, 'none', 'in_arrears'],
    ['usage', true, 'second', 'in_arrears'],
    ['one_time', undefined, 'none', 'in_advance'],
  ] as const)('%s with prorate %s: %s, %s', (type, prorate, unit, pay) => {
    expect(prorateUnit({ type, prorate })).toBe(unit);
    expect(payTime({ type })).toBe(pay);
  });
});

describe('canonicalPrices', () => {
  it('gives every decimal its one form and leaves the rest alone', () => {
    const written: Plan = {
      ...plan,
      metadata: { amount: '1.50' },
      prices: [
        { ...fee, key: '1.50', name: '1.50' },
        { ...usage, model: { ...matrix, cells: [{ when: { rate: '1.50' }, model: { type: 'flat', amount: '1.50' } }] }, discount: { percent: '10.0' } },
        { ...usage, included_units: '1e3', unit_conversion: { divide_by: '1000.0', rounding: 'up' }, model: { type: 'graduated', tiers: [tier('10.00', '0.10'), tier(null, '0')] } },
      ],
    };
    expect(canonicalPrices(written)).toEqual({
      ...plan,
      metadata: { amount: '1.50' },
      prices: [
        { ...fee, key: '1.50', name: '1.50', model: { type: 'flat', amount: '49' } },
        { ...usage, model: { ...matrix, cells: [{ when: { rate: '1.50' }, model: { type: 'flat', amount: '1.5' } }] }, discount: { percent: '10' } },
        { ...usage, included_units: '1000', unit_conversion: { divide_by: '1000', rounding: 'up' }, model: { type: 'graduated', tiers: [tier('10', '0.1'), tier(null, '0')] } },
      ],
    });
  });
});
