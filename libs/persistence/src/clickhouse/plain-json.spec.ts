import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nastyJson } from '#testing';
import { isPlainJson } from './plain-json.js';
import { numberMark } from './stored-data.js';

// Goal: what is taken for plain is JSON, and nothing in it needs a mark. Method: each kind of thing; random JSON, whole and damaged.

describe('isPlainJson', () => {
  it.each([
    '{}', '[]', '""', '0', '-0', '12', '-1.5', '0.000001', '123456789012345', '12345678901.345', 'true', 'false', 'null', '{"a":1,"b":[true,{"c":null}],"":""}', '["x","\\"\\\\\\/\\b\\f\\n\\r\\t"]', '"🛣 é"',
    `${'['.repeat(32)}${']'.repeat(32)}`,
  ])('takes %s', (text) => {
    expect(isPlainJson(text)).toBe(true);
  });

  it.each([
    '', ' ', '{', '[', '"', '{"a"}', '{"a":}', '{"a":1,}', '[1,]', '[,1]', '[1 ]', '{ }', '{a:1}', '01', '-', '-a', '1.', '.5', '+1', '1e5', '1E5', '1.5e1', '1x', 'tru', 'nul', 'truex', '{}{}', '1,2',
    '1234567890123456', '1.23456789012345', '0.0000001', '10.0000001', '"\\u0041"', '"\\x"', '"\\', `"${numberMark}"`, `{"${numberMark}":1}`, '"\t"', '"a', 'NaN', '\ufeff1', `${'['.repeat(33)}${']'.repeat(33)}`,
  ])('leaves to JSON.parse: %s', (text) => {
    expect(isPlainJson(text)).toBe(false);
  });

  it('takes nothing that is no JSON, nor a number that a float does not carry', () => {
    const damaged = fc.tuple(fc.oneof(nastyJson, fc.json()), fc.nat(), fc.constantFrom('', '"', '\\', ',', '0', '.', 'e', ']', '}', ':', ' ')).map(([text, at, put]) => text.slice(0, at % (text.length + 1)) + put + text.slice(at % (text.length + 1)));
    fc.assert(fc.property(fc.oneof(nastyJson, fc.json(), damaged), (text) => {
      if (!isPlainJson(text)) return;
      const [digits, texts]: [string[], string[]] = [[], []];
      JSON.parse(text, (key: string, value: unknown, context?: { source?: string }) => {
        texts.push(key);
        if (typeof value === 'number') digits.push(context?.source ?? '');
        if (typeof value === 'string') texts.push(value);
        return value;
      });
      for (const source of digits) expect(source).toMatch(/^-?\d+(\.\d+)?$/);
      for (const source of digits) expect(source.replace(/^-/, '').length).toBeLessThanOrEqual(15);
      // Half a surrogate pair can only have stood there as it is, which its row is refused for.
      expect(texts.some((each) => each.includes(numberMark) || (text.isWellFormed() && !each.isWellFormed()))).toBe(false);
    }), { numRuns: 3_000 });
  });
});
