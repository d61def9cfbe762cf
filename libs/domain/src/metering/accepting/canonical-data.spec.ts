import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalData, dataDepthMax, dataSizeMax, type JsonObject } from './canonical-data.js';
import { elementTexts, ExactNumber, hasInexactNumber, memberAt, memberText, parseExactNumbers } from './exact-json.js';

function textOf(json: string): string {
  const result = canonicalData(parseExactNumbers(json) as JsonObject);
  if (!result.ok) throw new Error(result.faults.map((fault) => fault.code).join());
  return result.text;
}

function codesOf(json: string): string[] {
  const result = canonicalData(parseExactNumbers(json) as JsonObject);
  return result.ok ? [] : result.faults.map((fault) => `${fault.code} ${fault.pointer}`);
}

describe('canonicalData', () => {
  it.each([
    ['{}', '{}'],
    [' { "b" : 1.10 , "a" : [ 1e2 , true , null , "x" ] } ', '{"a":[100,true,null,"x"],"b":1.1}'],
    ['{"a":1,"a":2}', '{"a":2}'],
    ['{"10":1,"9":2,"a":{"z":0,"y":-0}}', '{"10":1,"9":2,"a":{"y":0,"z":0}}'],
    ['{"__proto__":{"x":1},"constructor":2,"toString":3}', '{"__proto__":{"x":1},"constructor":2,"toString":3}'],
    ['{"n":123456789012.123456789012345678}', '{"n":123456789012.123456789012345678}'],
    ['{"n":0.1000000000000000055511151231257827}', '{"n":0.1000000000000000055511151231257827}'],
    ['{"n":1e400000,"m":-1E-400}', '{"m":-1e-400,"n":1e400000}'],
    ['{"n":"1.10"}', '{"n":"1.10"}'], // A string is no number.
    ['{"s":"\\u00e9\\/\\n\\ud83d\\ude00\\ud800\\u0000"}', '{"s":"é/\\n😀\\ud800\\u0000"}'],
    // U+FF5E is EF BD 9E, U+1F600 is F0 9F 98 80: bytes sort the other way round than UTF-16 units.
    ['{"\\ud83d\\ude00":1,"\\uff5e":2,"é":3,"z":4}', '{"z":4,"é":3,"～":2,"😀":1}'],
    ['{"":1,"a\\"b":2}', '{"":1,"a\\"b":2}'],
  ])('writes %s', (json, text) => {
    expect(textOf(json)).toBe(text);
  });

  it('takes ten levels and refuses eleven', () => {
    const nested = (levels: number): string => '{"a":'.repeat(levels - 1) + '{}' + '}'.repeat(levels - 1);
    expect(codesOf(nested(dataDepthMax))).toEqual([]);
    expect(codesOf(nested(dataDepthMax + 1))).toEqual(['too_deep /data']);
    expect(codesOf(`{"a":${'['.repeat(10)}${']'.repeat(10)}}`)).toEqual(['too_deep /data']);
    expect(codesOf(`{"a":${'['.repeat(9)}1${']'.repeat(9)}}`)).toEqual([]);
  });

  it('takes 65,536 bytes and refuses one more, counted in UTF-8', () => {
    const around = '{"a":""}'.length;
    expect(codesOf(`{"a":"${'x'.repeat(dataSizeMax - around)}"}`)).toEqual([]);
    expect(codesOf(`{"a":"${'x'.repeat(dataSizeMax - around + 1)}"}`)).toEqual(['too_large /data']);
    expect(codesOf(`{"a":"${'é'.repeat((dataSizeMax - around) / 2)}"}`)).toEqual([]);
    expect(codesOf(`{"a":"${'é'.repeat((dataSizeMax - around) / 2)}x"}`)).toEqual(['too_large /data']);
    expect(codesOf(`{"a":"${'😀'.repeat((dataSizeMax - around) / 4)}"}`)).toEqual([]);
    expect(codesOf(`{"a":[${'1e40,'.repeat(2_000)}1]}`)).toEqual(['too_large /data']); // 2,000 × 42 bytes once written out.
  });

  it('names every fault', () => {
    const deep = '['.repeat(11) + ']'.repeat(11);
    expect(codesOf(`{"x":${deep},"y":"${'x'.repeat(dataSizeMax)}","z":{"a/b":[1,1e9999999999]}}`)).toEqual(['too_deep /data', 'too_large /data', 'number_out_of_range /data/z/a~1b/1']);
  });

  // Goal: an event's data never depends on how its numbers were parsed. Method: the same object through both ways.
  it('is the same with and without exact numbers where floats hold them', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary', maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 5 }), (data) => {
        const json = JSON.stringify(data, (_key, value: unknown) => (typeof value === 'number' ? Math.trunc(value % 1e9) / 64 : value));
        const fast = canonicalData(JSON.parse(json) as JsonObject);
        expect(fast).toEqual({ ok: true, text: textOf(json) });
        expect(textOf(textOf(json))).toBe(textOf(json));
      }),
    );
  });
});

describe('hasInexactNumber', () => {
  it.each([
    ['{"a":1e5}', true], ['{"a": -1E5}', true], ['[1,2.5e-3]', true], ['{"a":1234567890123456}', true], ['{"a":0.123456789012345678}', true],
    ['{"a":123456789012345}', false], ['{"a":"1e5"}', false], ['{"id":"5e3f9e77","b":[1]}', false],
    ['{"t":"2026-11-01T10:00:00.123456Z"}', false], [`{"a":${' '.repeat(65)}1e5}`, true], [`{"a"${' '.repeat(65)}:1e5}`, true], [`{"a"${' '.repeat(65)}:${' '.repeat(65)}1e5}`, true],
    ['{"ip":"2001:db8:1e2::1"}', true], // A false alarm, which is harmless.
    [`[${'9'.repeat(1_000_000)}]`, true], [`[${'1'.repeat(15)},${' '.repeat(64)}1]`, false],
  ])('sees what a float may not hold (%#)', (json, answer) => {
    expect(hasInexactNumber(json)).toBe(answer);
  });
});

describe('parseExactNumbers', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 1, '\r\n\t'), (value, indent) => {
        const json = JSON.stringify(value, null, indent);
        const floats = JSON.stringify(parseExactNumbers(json), (_key, item: unknown) => (item instanceof ExactNumber ? JSON.parse(item.text ?? '') : item));
        expect(JSON.parse(floats)).toEqual(JSON.parse(json));
      }),
    );
  });

  it('leaves out what lies deeper than any event', () => {
    const nested = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(codesOf(`{"a":${nested},"b":1e30}`)).toEqual(['too_deep /data']);
    expect(textOf(JSON.stringify({ after: JSON.stringify(nested.slice(0, 20)) }))).toBe(JSON.stringify({ after: JSON.stringify('['.repeat(20)) }));
    expect(parseExactNumbers(`[${nested},1e30]`)).toHaveLength(2);
  });
});

describe('elementTexts', () => {
  it.each([
    ['[]', []],
    [' [ ] ', []],
    ['[1, "a,]\\"" ,{"b":[2,"}"]} , null]', ['1', '"a,]\\""', '{"b":[2,"}"]}', 'null']],
    ['["\\\\","\\\\\\""]', ['"\\\\"', '"\\\\\\""']],
  ])('cuts %s', (json, texts) => {
    expect(elementTexts(json)).toEqual(texts);
  });

  it('cuts any array into the texts of its elements', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 2), (values, indent) => {
        expect(elementTexts(JSON.stringify(values, null, indent)).map((text) => JSON.parse(text) as unknown)).toEqual(JSON.parse(JSON.stringify(values)));
      }),
    );
  });
});

describe('memberAt', () => {
  it('finds the last member of that name', () => {
    const json = '{"events":1, "x": {"events": [0]}, "\\u0065vents" : [2] }';
    expect(elementTexts(json, memberAt(json, { name: 'events' }))).toEqual(['2']);
    expect(memberAt(json, { name: 'none' })).toBe(-1);
    expect(memberAt('{}', { name: 'events' })).toBe(-1);
    expect(memberText(json, { name: 'x' })).toBe('{"events": [0]}');
    expect(memberText(json, { name: 'none' })).toBe('');
  });
});
