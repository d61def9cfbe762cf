import fc from 'fast-check';

const nastyTexts = [
  'null', 'true', '-0', '1e400000', '-1E-400000', '1e9999999999', '1e-99999999999999999999', `0.${'1'.repeat(40)}`, '9'.repeat(4_000), '123456789012345678901234567890.12345678901234567890', '0.1e1',
  '"NaN"', '"-Infinity"', '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\uffff"', '""', '"1e400"', '{"__proto__":{"polluted":1}}', '{"constructor":{"prototype":{"polluted":1}}}', '{"a":1,"a":[2],"a":{"b":1e30}}',
  '{"toJSON":1,"length":-1,"then":null}', '[[[[[[[[[[[[1]]]]]]]]]]]]', '{"\\ud800":1}', '{"":{"":{"":1.0}}}',
];

/** JSON texts that are valid and nasty, to stand anywhere in an event or a gateway's entry. */
export const nastyJson: fc.Arbitrary<string> = fc.oneof(
  { weight: 15, arbitrary: fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)) },
  { weight: 27, arbitrary: fc.constantFrom(...nastyTexts) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 30_000 }).map((levels) => '['.repeat(levels) + ']'.repeat(levels)) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 20_000 }).map((levels) => `${'{"a":'.repeat(levels)}1e30${'}'.repeat(levels)}`) },
  { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 70_000 }).map((length) => `"${'é'.repeat(length / 2)}"`) },
  { weight: 9, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }).map((text) => JSON.stringify(text)) },
);
