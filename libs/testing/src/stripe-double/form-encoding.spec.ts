import { describe, expect, it } from 'vitest';

import { parseForm } from './form-encoding.js';

describe('a form', () => {
  it.each([
    ['', {}],
    ['customer=cus_1&auto_advance=false', { customer: 'cus_1', auto_advance: 'false' }],
    ['discounts=', { discounts: '' }],
    ['metadata[a]=1&metadata[b%20c]=x%26y', { metadata: { a: '1', 'b c': 'x&y' } }],
    ['lines[0][amount]=-134&lines[0][period][start]=1&lines[1][amount]=2', { lines: [{ amount: '-134', period: { start: '1' } }, { amount: '2' }] }],
    ['lines[10][amount]=11&lines[9][amount]=10', { lines: [{ amount: '10' }, { amount: '11' }] }],
    ['expand[]=a&expand[]=b', { expand: ['a', 'b'] }],
    ['created[gte]=5&created[lt]=9', { created: { gte: '5', lt: '9' } }],
    ['description=a%2Bb+c', { description: 'a+b c' }],
  ])('%s', (text, expected) => {
    expect(JSON.parse(JSON.stringify(parseForm(text)))).toEqual(expected);
  });

  it('takes __proto__ for a name like any other', () => {
    const form = parseForm('__proto__[polluted]=yes&metadata[__proto__]=x');
    expect(Object.keys(form)).toEqual(['__proto__', 'metadata']);
    expect('polluted' in {}).toBe(false);
  });

  it('refuses what is too deep or too long to be meant', () => {
    expect(() => parseForm('a[b][c][d][e][f][g][h][i]=1')).toThrow(RangeError);
    expect(() => parseForm('a=1&'.repeat(20_001))).toThrow(RangeError);
  });
});
