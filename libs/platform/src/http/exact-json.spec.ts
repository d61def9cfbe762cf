import { describe, expect, it } from 'vitest';
import { parseWithDecimals } from './exact-json.js';

const parse = (text: string): unknown => parseWithDecimals(text, new Set(['amount', 'up_to', 'grants.limit']));

describe('parseWithDecimals', () => {
  it.each<[string, string, unknown]>([
    ['a number by its digits', '{"amount": 0.10}', { amount: '0.1' }],
    ['one that no float holds', '{"tiers": [{"up_to": 123456789012345678.000000000000000001, "n": 1e2}]}', { tiers: [{ up_to: '123456789012345678.000000000000000001', n: 100 }] }],
    ['texts as they are', '{"amount": "1.50"}', { amount: '1.50' }],
    ['other fields as numbers', '{"days": 12345678901234567890}', { days: 12_345_678_901_234_567_890 }],
    ['members of data as what they are, whatever they are called', '{"events": [{"amount": 2, "data": {"amount": 5, "nested": {"up_to": [1]}}}]}', { events: [{ amount: '2', data: { amount: 5, nested: { up_to: [1] } } }] }],
    ['a field within another, and no other of its name', '{"limit": 5, "grants": [{"limit": 12345678901234567890, "rate": {"limit": 5}}]}', { limit: 5, grants: [{ limit: '12345678901234567890', rate: { limit: 5 } }] }],
    ['no prototype', '{"__proto__": {"amount": 1}}', JSON.parse('{"__proto__": {"amount": "1"}}')],
  ])('takes %s', (_name, text, value) => {
    expect(parse(text)).toEqual(value);
  });

  it('keeps all digits of data', () => {
    const { data } = parse('{"data": {"amount": 0.12345678901234567890123, "e": 1.50e3, "n": 1.5}}') as { data: { amount: unknown } };
    expect(JSON.stringify(data)).toBe('{"amount":0.12345678901234567890123,"e":1.50e3,"n":1.5}');
  });

  it('throws what JSON.parse throws', () => {
    expect(() => parse('{"amount": 1e}')).toThrow(SyntaxError);
  });
});
