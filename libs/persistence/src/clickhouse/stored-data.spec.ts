import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactJsonValue, fromStoredData, numberMark as mark, toStoredData } from './stored-data.js';

describe('stored data', () => {
  it.each([
    ['{}', '{}'],
    ['{"n":123456789012345}', '{"n":123456789012345}'], // 15 digits are carried by a float.
    ['{"n":1234567890123456}', `{"n":"${mark}1234567890123456"}`],
    ['{"n":-0.123456789012345}', '{"n":-0.123456789012345}'],
    ['{"n":0.1234567890123456}', `{"n":"${mark}0.1234567890123456"}`],
    ['{"n":0.000001}', '{"n":0.000001}'],
    ['{"n":0.0000001}', `{"n":"${mark}0.0000001"}`], // ClickHouse would write 1e-7.
    ['{"n":1e41}', `{"n":"${mark}1e41"}`],
    ['{"a":[1,{"b":123456789012.123456789012345678}],"s":"1e41"}', `{"a":[1,{"b":"${mark}123456789012.123456789012345678"}],"s":"1e41"}`],
    [`{"${mark}k":"${mark}5","x":"5${mark}"}`, `{"x":"5${mark}","${mark}${mark}k":"${mark}${mark}5"}`],
  ])('of %s is %s, and comes back', (canonical, stored) => {
    expect(toStoredData(canonical)).toBe(stored);
    expect(fromStoredData(stored)).toBe(canonical === `{"${mark}k":"${mark}5","x":"5${mark}"}` ? `{"x":"5${mark}","${mark}k":"${mark}5"}` : canonical);
  });

  it('replaces what is no character, since ClickHouse would not read the rest beside it', () => {
    expect(toStoredData('{"a":"\\ud800","\\udfffb":1}')).toBe('{"a":"\ufffd","\ufffdb":1}');
  });

  it('refuses what is no JSON', () => {
    expect(() => toStoredData('{"a":')).toThrow(SyntaxError);
    expect(() => toStoredData('{"a":0.00000001')).toThrow(SyntaxError);
  });

  it('comes back for any JSON', () => {
    const numbers = fc.oneof(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(String), fc.tuple(fc.nat(), fc.stringMatching(/^[0-9]{0,24}[1-9]$/)).map(([whole, digits]) => `${whole}.${digits}`));
    const texts = fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text.replaceAll('x', mark)));
    const values = fc.letrec<{ value: string }>((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, numbers, texts, fc.constantFrom('true', 'null'), fc.array(tie('value')).map((items) => `[${items.join(',')}]`), fc.tuple(texts, tie('value')).map(([name, value]) => `{${name}:${value}}`)),
    })).value;
    fc.assert(
      fc.property(values, (value) => {
        expect(fromStoredData(toStoredData(`{"v":${value}}`))).toBe(`{"v":${value}}`);
      }),
    );
  });

  it('becomes JSON with its own digits', () => {
    const text = '{"a":[0.1,12345678901234567890.5,1e41],"b":"x"}';
    expect(JSON.stringify(exactJsonValue(text))).toBe(text);
  });
});
