import { describe, expect, it } from 'vitest';
import { aggregations, type Aggregation } from '../metering/meter.js';
import { entitlementFaults, measuredEntitlementFaults, repeatedFeatureFaults } from './entitlement-faults.js';
import { canonicalEntitlement, type Entitlement, entitlementSchema } from './entitlement.js';

// Goal: what a plan may grant, and what it may not. Method: one entitlement a row, with its faults by place and code.
const metered: Entitlement = { feature: 'calls', type: 'metered', limit: '1000' };
const codesOf = (faults: readonly { pointer: string; code: string }[]) => faults.map(({ pointer, code }) => `${pointer} ${code}`);

describe('entitlementFaults', () => {
  it.each<[string, Entitlement, string[]]>([
    ['a feature that is on', { feature: 'sso', type: 'boolean', rate_limit: { limit: 10, per_seconds: 1 } }, []],
    ['a value', { feature: 'region', type: 'static', value: 'eu' }, []],
    ['a limit', metered, []],
    ['no limit', { ...metered, limit: null }, []],
    ['a limit of nothing', { ...metered, limit: '0' }, []],
    ['everything of a metered one', { ...metered, limit: '0.5', reset: 'day', enforcement: 'soft' }, []],
    ['a static one without its value', { feature: 'region', type: 'static' }, ['/value missing_field']],
    ['a metered one without its limit', { feature: 'calls', type: 'metered' }, ['/limit missing_field']],
    ['a boolean one with all that it has not', { feature: 'sso', type: 'boolean', value: true, limit: '5', reset: 'day', enforcement: 'hard' }, ['/value not_allowed', '/limit not_allowed', '/reset not_allowed', '/enforcement not_allowed']],
    ['a metered one with a value', { ...metered, value: 'x' }, ['/value not_allowed']],
    ['a limit below nothing', { ...metered, limit: '-1' }, ['/limit negative_amount']],
    ['a limit that is no number', { ...metered, limit: 'many' }, ['/limit invalid_decimal']],
    ['a limit beyond a quantity', { ...metered, limit: '123456789012345678901' }, ['/limit number_out_of_range']],
  ])('of %s', (_name, entitlement, codes) => {
    expect(entitlementSchema.parse(entitlement)).toEqual(entitlement);
    expect(codesOf(entitlementFaults(entitlement, ''))).toEqual(codes);
  });

  it.each([{ ...metered, rate_limit: { limit: 0, per_seconds: 1 } }, { ...metered, rate_limit: { limit: 1.5, per_seconds: 1 } }, { ...metered, rate_limit: { limit: 1 } }, { ...metered, unit: 'call' }, { ...metered, reset: 'hour' }])('has no shape like %j', (entitlement) => {
    expect(entitlementSchema.safeParse(entitlement).success).toBe(false);
  });

  it('is told where a feature is named again', () => {
    expect(codesOf(repeatedFeatureFaults([metered, { feature: 'sso' }, metered, metered], '/entitlements'))).toEqual(['/entitlements/2/feature duplicate_feature', '/entitlements/3/feature duplicate_feature']);
  });
});

describe('measuredEntitlementFaults', () => {
  const faultsBy = (aggregation: Aggregation | null, entitlement = metered): string[] =>
    codesOf(measuredEntitlementFaults(entitlement, { feature: { key: 'calls', meter: aggregation === null ? null : { key: 'm', aggregation } }, pointer: '' }));

  it('lets a limit be on what grows by use, and on what there is at present', () => {
    const limitable = aggregations.filter((aggregation) => faultsBy(aggregation).length === 0);
    expect(limitable).toEqual(['count', 'sum', 'unique_count', 'time_weighted_sum']);
    for (const aggregation of ['min', 'max', 'avg', 'percentile'] as const) expect(faultsBy(aggregation)).toEqual(['/feature meter_not_limitable']);
    expect(faultsBy('latest')).toEqual(['/reset not_allowed']);
    expect(faultsBy('latest', { ...metered, reset: 'never' })).toEqual([]);
  });

  it('asks for a meter of metered ones alone', () => {
    expect(faultsBy(null)).toEqual(['/feature feature_without_meter']);
    expect(faultsBy(null, { feature: 'calls', type: 'boolean' })).toEqual([]);
    expect(faultsBy('max', { feature: 'calls', type: 'static', value: '1' })).toEqual([]);
  });
});

describe('canonicalEntitlement', () => {
  it.each<[Entitlement, object]>([
    [{ ...metered, limit: '1000.50' }, { feature: 'calls', type: 'metered', limit: '1000.5', reset: 'billing_period', enforcement: 'hard' }],
    [{ ...metered, limit: null, reset: 'day', enforcement: 'soft' }, { feature: 'calls', type: 'metered', limit: null, reset: 'day', enforcement: 'soft' }],
    [{ feature: 'sso', type: 'boolean', rate_limit: { limit: 1, per_seconds: 2 } }, { feature: 'sso', type: 'boolean', rate_limit: { limit: 1, per_seconds: 2 } }],
    [{ feature: 'beta', type: 'static', value: false }, { feature: 'beta', type: 'static', value: false }],
  ])('brings %j into its one form', (given, kept) => {
    expect(canonicalEntitlement(given)).toEqual(kept);
    expect(canonicalEntitlement(canonicalEntitlement(given) as Entitlement)).toEqual(kept);
  });
});
