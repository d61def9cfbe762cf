import { describe, expect, it } from 'vitest';
import { parseDataPath } from './data-path.js';
import { parseData, textOf, valueAt } from './data-value.js';
import { eventState } from './event-state.js';
import { countingRule, meterDefinition, type Aggregation, type Meter } from './meter.js';
import { meterFaults } from './meter-faults.js';
import { meteredValue } from './metered-value.js';
import { subjectBucket, subjectBuckets } from './subject-bucket.js';

const meter: Meter = { id: 'mtr_1', organizationId: 'org_1', key: 'bytes', eventType: 'call', aggregation: 'sum', valuePath: '$.n', percentile: null, groupBy: {}, filter: null };

describe('parseDataPath', () => {
  it.each<[string, string[] | null]>([
    ['$.bytes', ['bytes']], ['$.user.id', ['user', 'id']], ['$["odd name"].x', ['odd name', 'x']], ["$['it\\'s \"so\"']", ['it\'s "so"']], ['$.a-b', ['a-b']], ['$.größe', ['größe']],
    ['$["\\u00e9"]', ['é']], ['$[ "a" ]', ['a']],
    ['', null], ['$', null], ['bytes', null], ['$.', null], ['$.a.', null], ['$..a', null], ['$.a[0]', null], ['$.a b', null], ['$[""]', null], ['$["a]', null], ['$.a ', null],
    [`$${'.a'.repeat(10)}`, Array.from({ length: 10 }, () => 'a')], [`$${'.a'.repeat(11)}`, null], [`$.${'a'.repeat(499)}`, null],
  ])('reads %s', (text, path) => {
    const parsed = parseDataPath(text);
    expect(parsed.ok ? parsed.path : null).toEqual(path);
  });

  it('says where it failed', () => {
    expect(parseDataPath('$.ok.[0]')).toEqual({ ok: false, detail: 'At character 5 of the path a name is expected, as in $.bytes or $["odd name"].' });
  });
});

describe('valueAt and textOf', () => {
  const data = parseData('{"s":"é","n":1.5,"exact":12345678901234567890.5,"yes":true,"nil":null,"o":{"b":[0.1,12345678901234567890],"a":"x"},"list":[{"a":1}],"lone":"\\ud800","toString":1}');
  it.each<[string[], string | null]>([
    [['s'], 'é'], [['n'], '1.5'], [['exact'], '12345678901234567890.5'], [['yes'], 'true'], [['nil'], null], [['none'], null], [['o', 'a'], 'x'], [['o', 'none'], null],
    [['o'], '{"a":"x","b":[0.1,12345678901234567890]}'], [['list'], '[{"a":1}]'], [['list', 'a'], null], [['list', 'length'], null], [['s', 'length'], null], [['lone'], '\ufffd'],
    [['toString'], '1'], [['constructor'], null],
  ])('%j is %j', (path, text) => {
    expect(textOf(valueAt(data, path))).toBe(text);
  });
});

describe('meteredValue', () => {
  it.each<[string, Exclude<Aggregation, 'count'>, string]>([
    ['1.10', 'sum', '1.1'], ['"1.10"', 'sum', '1.1'], ['"007"', 'sum', '7'], ['-0', 'sum', '0'], ['1e2', 'sum', '100'],
    ['99999999999999999999.999999999999999999', 'sum', '99999999999999999999.999999999999999999'],
    ['"0000000000000000000000001.100000000000000000000000"', 'sum', '1.1'], // Neither zeros before nor after are digits.
    ['100000000000000000000', 'sum', 'value_out_of_range'], ['0.0000000000000000001', 'sum', 'value_out_of_range'], ['1e41', 'max', 'value_out_of_range'],
    ['"1e2"', 'sum', 'value_no_decimal'], ['"+1"', 'sum', 'value_no_decimal'], ['" 1"', 'sum', 'value_no_decimal'], ['""', 'min', 'value_no_decimal'], ['true', 'latest', 'value_no_decimal'],
    ['[1]', 'avg', 'value_no_decimal'], ['{}', 'sum', 'value_no_decimal'], ['null', 'sum', 'value_missing'],
    ['""', 'unique_count', ''], ['1.10', 'unique_count', '1.1'], ['"1.10"', 'unique_count', '1.10'], ['true', 'unique_count', 'true'], ['null', 'unique_count', 'value_missing'],
  ])('%s of %s is %s', (json, aggregation, answer) => {
    const value = meteredValue(valueAt(parseData(`{"v":${json}}`), ['v']), aggregation);
    expect(value.ok ? value.text : value.code).toBe(answer);
  });

  it('is not stopped by texts of any length', () => {
    expect(meteredValue('1'.repeat(60_000), 'sum')).toEqual({ ok: false, code: 'value_no_decimal' });
    expect(meteredValue(undefined, 'sum')).toEqual({ ok: false, code: 'value_missing' });
  });
});

describe('meterFaults', () => {
  const input = { aggregation: 'sum' as Aggregation, valuePath: '$.n' as string | null, percentile: null as string | null, groupBy: {} as Record<string, string>, filter: null as string | null };
  it.each<[Partial<typeof input>, string[]]>([
    [{}, []],
    [{ aggregation: 'count', valuePath: null, groupBy: { route: '$.route' }, filter: 'data.status < 500' }, []],
    [{ aggregation: 'count' }, ['/value not_allowed']],
    [{ valuePath: null }, ['/value missing_field']],
    [{ valuePath: 'data.a / data.b' }, []], [{ aggregation: 'unique_count', valuePath: 'data.a.lowerAscii()' }, []], [{ valuePath: 'data.a.lowerAscii()' }, ['/value invalid_expression']], [{ valuePath: '5' }, ['/value invalid_expression']],
    [{ aggregation: 'percentile', percentile: '99.9' }, []],
    [{ aggregation: 'percentile', valuePath: null }, ['/value missing_field', '/percentile missing_field']],
    [{ percentile: '95' }, ['/percentile not_allowed']],
    ...['-1', '100.1', '95%', '', 'NaN', '1e400', '0.00000000001'].map((percentile): [Partial<typeof input>, string[]] => [{ aggregation: 'percentile', percentile }, ['/percentile invalid_percentile']]),
    [{ valuePath: 'n', groupBy: { 'a,b/c': '$.x', customer: '$.y', ok: 'z' }, filter: 'data.n <' },
      ['/value invalid_expression', '/group_by/a,b~1c invalid_dimension', '/group_by/customer invalid_dimension', '/group_by/ok invalid_path', '/filter invalid_filter']],
    [{ groupBy: { 'it\'s "so"': '$.a', 'größe.x': '$.b', constructor: '$.c', 'a b/c[0': '$.d', ['😀'.repeat(64)]: '$.e' } }, []],
    ...['', ' a', 'a ', 'a]', 'a\nb', 'x'.repeat(65), '\ud800'].map((name): [Partial<typeof input>, string[]] => [{ groupBy: { [name]: '$.a' } }, [`/group_by/${name} invalid_dimension`]]),
    [{ groupBy: JSON.parse('{"__proto__":"$.a"}') as Record<string, string> }, ['/group_by/__proto__ invalid_dimension']],
    [{ groupBy: Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`d${index}`, '$.x'])) }, ['/group_by too_many_dimensions']],
  ])('%j: %j', (change, faults) => {
    expect(meterFaults({ ...input, ...change }).map(({ pointer, code }) => `${pointer} ${code}`)).toEqual(faults);
  });
});

describe('eventState', () => {
  const rules = [
    { key: 'calls', rule: countingRule({ ...meter, aggregation: 'count', valuePath: null, filter: 'data.status < 500' }) },
    { key: 'bytes', rule: countingRule(meter) },
    { key: 'share', rule: countingRule({ ...meter, valuePath: 'data.n / data.of' }) },
  ];
  it.each<[string, boolean, string[], string[]]>([
    ['{"n":5,"status":200}', true, ['calls', 'bytes'], ['share value_unknown']],
    ['{"n":5,"of":0,"status":200}', true, ['calls', 'bytes'], ['share value_unknown']],
    ['{"n":5,"of":4,"status":200}', true, ['calls', 'bytes', 'share'], []],
    ['{"n":"x","status":500}', true, [], ['calls filtered_out', 'bytes value_no_decimal', 'share value_unknown']],
    ['{"status":200}', false, ['calls'], ['bytes value_missing', 'share value_unknown', 'null no_customer']],
  ])('of %s', (json, hasCustomer, meters, reasons) => {
    const state = eventState({ data: parseData(json), hasCustomer }, rules);
    expect([state.meters, state.reasons.map(({ meter: key, code }) => `${key} ${code}`)]).toEqual([meters, reasons]);
  });

  it('says when no meter counts its type', () => {
    expect(eventState({ data: {}, hasCustomer: true }, []).reasons.map(({ code }) => code)).toEqual(['no_meter']);
  });
});

describe('meterDefinition', () => {
  it('tells meters apart by what decides their quantity, and by nothing else', () => {
    const groups = { ...meter, groupBy: { b: '$.b', a: '$.a' } };
    const renamed = { ...groups, groupBy: { a: '$.a', b: '$.b' }, key: 'other', id: 'mtr_2' };
    expect(meterDefinition(renamed)).toBe(meterDefinition(groups));
    const others: Partial<Meter>[] = [{ eventType: 'x' }, { aggregation: 'max' }, { valuePath: '$.m' }, { groupBy: {} }, { filter: 'data.x' }, { percentile: '95' }];
    for (const other of others) expect(meterDefinition({ ...groups, ...other })).not.toBe(meterDefinition(groups));
  });
});

describe('subjectBucket', () => {
  // Stored rows are found by it, so it is the same for ever. FNV-1a of '' is 811c9dc5: 0x1c ^ 0x05 = 25; of 'a' e40c292c: 0x0c ^ 0x2c = 32.
  it.each([['', 25], ['a', 32], ['acme-prod', 58], ['é', 28], ['10.0.0.1', 51]])('of %j is %i', (subject, bucket) => {
    expect(subjectBucket(subject)).toBe(bucket);
  });

  it('spreads subjects', () => {
    const buckets = new Set(Array.from({ length: 1_000 }, (_, index) => subjectBucket(`customer-${index}`)));
    expect(buckets.size).toBe(subjectBuckets);
  });
});
