import { describe, expect, it } from 'vitest';
import { parseData } from './data-value.js';
import { matchesFilter } from './match-filter.js';
import { parseFilter } from './parse-filter.js';

// Goal: what a filter means, and that each fault names its place. Method: one event, one filter per row.
const data = parseData(
  '{"n":5,"big":123456789012.123456789012345678,"tiny":0.0000001,"huge":1e41,"text":"eu","odd \\"name\\"":1,"empty":"","yes":true,"no":false,"nothing":null,' +
    '"user":{"id":"u1","age":30},"tags":["a",1,true,null,"é"],"digits":"5","high":"\\uff5e","higher":"\\ud83d\\ude00"}',
);

function truth(filter: string): boolean | string {
  const parsed = parseFilter(filter);
  return parsed.ok ? matchesFilter(data, parsed.expression) : parsed.detail;
}

describe('a filter', () => {
  it.each([
    ['data.n == 5', true], ['data.n == 5.0', true], ['data.n == 0.5e1', true], ['5 == data.n', true], ['data.n != 5', false],
    ['data.n < 5', false], ['data.n <= 5', true], ['4 < data.n', true], ['data.n > -1', true], ['data.n > - 1', true],
    ['data.big == 123456789012.123456789012345678', true], ['data.big > 123456789012.123456789012345677', true], ['data.tiny < 0.00000011', true],
    ['data.text == "eu"', true], ["data.text == 'eu'", true], ['data.text < "ev"', true], ['data.empty == ""', true], ['data.high < data.higher', true],
    ['data["odd \\"name\\""] == 1', true], ['data.user.id == "u1"', true], ['data.user["age"] >= 30', true],
    ['data.yes', true], ['!data.no', true], ['data.yes == true', true], ['data.no != true', true], ['data.yes == data.no', false],
    ['data.nothing == null', true], ['data.n != null', true], ['data.nothing != null', false], ['data.user != null', true], ['data.nothing == 5', false], ['data.nothing != 5', true],
    ['data.n == data.user.age', false], ['data.n < data.user.age', true],
    ['has(data.n)', true], ['has(data.nothing)', true], ['has(data.none)', false], ['!has(data.none)', true], ['has(data.user.id)', true], ['has(data.text.id)', false],
    ['data.text in ["us", "eu"]', true], ['data.n in [1, 5.0]', true], ['data.n in []', false], ['data.nothing in [null]', true], ['!(data.n in [6])', true],
    ['"a" in data.tags', true], ['1.0 in data.tags', true], ['null in data.tags', true], ['"é" in data.tags', true], ['"1" in data.tags', false], ['!("z" in data.tags)', true],
    ['data.n == 5 && data.text == "eu"', true], ['data.n == 6 || data.text == "eu"', true], ['data.n == 6 || data.n == 5 && data.text == "us"', false],
    ['(data.n == 6 || data.n == 5) && data.yes', true], ['!(data.n == 6) && !!data.yes', true],
    // What is missing or of another type is unknown: no match, negated or not, unless the rest decides.
    ['data.none == 5', false], ['data.none != 5', false], ['!(data.none == 5)', false], ['!(data.text == 5)', false], ['data.text != 5', false],
    ['data.digits == 5', false], ['data.n == "5"', false], ['data.text < 5', false], ['data.yes < "x"', false], ['!data.n', false], ['!(data.n in ["5"])', false],
    ['!("a" in data.text)', false], ['data.user == "u1"', false], ['data.huge > 1', false], ['data.nothing < 5', false],
    ['data.none == 5 || data.yes', true], ['!(data.none == 5 && data.no)', true], ['!(data.none == 5 || data.no)', false],
  ])('%s: %s', (filter, answer) => {
    expect(truth(filter)).toBe(answer);
  });

  it.each([
    ['', 'The filter ends too early. (at character 1)'],
    ['data.n <', 'The filter ends too early. (at character 9)'],
    ['data.n = 5', '"=" is not understood. (at character 8)'],
    ['data.n < 5 5', '"5" is not expected here; only comparisons, &&, ||, !, in and has() are understood. (at character 12)'],
    ['data.n + 1 < 5', '"+" is not understood. (at character 8)'],
    ['data.n < 5 ? true : false', '"?" is not understood. (at character 12)'],
    ['data.text.startsWith("e")', 'Functions other than has() are not understood. (at character 21)'],
    ['size(data.tags) > 1', '"size" is not understood here; a value is a path such as data.status, a number, a text, true, false or null. (at character 1)'],
    ['has(data)', 'A path names a member of data, at most 10 levels deep. (at character 5)'],
    ['has("x")', 'has() takes a path into data, such as has(data.route). (at character 5)'],
    ['data == 5', 'A path names a member of data, at most 10 levels deep. (at character 1)'],
    ['data. == 5', 'The name of a member is expected here. (at character 7)'],
    ['data[0] == 5', 'The name of a member is expected here. (at character 6)'],
    ['1 == 1', 'A comparison needs a path into data. (at character 1)'],
    ['5', 'A condition is expected here, such as data.status < 500. (at character 1)'],
    ['data.yes < true', 'Only numbers and texts have an order. (at character 12)'],
    ['(data.n == 5', '")" is expected here. (at character 13)'],
    ['(data.n == 5) == true', 'A path or a literal is expected here. (at character 2)'],
    ['data.n in data.tags', '"in" takes a path and a list, or a value and a path. (at character 1)'],
    ['5 in [5]', 'Before a list of values, "in" needs a path into data. (at character 1)'],
    ['data.text == "a\\q"', 'This text has an escape that is not understood. (at character 14)'],
    ['data.text == "\\ud800"', 'This text has an escape that is not understood. (at character 14)'],
    [`data.n < ${'9'.repeat(39)}`, 'A number has at most 38 digits before and after the point. (at character 10)'],
    [`data.n in [${'1,'.repeat(200)}1]`, 'A list has at most 200 values. (at character 412)'],
    [`${'!'.repeat(40)}data.yes`, 'A filter is nested at most 32 levels deep. (at character 33)'],
    [`${'('.repeat(1_999)}`, 'A filter is nested at most 32 levels deep. (at character 33)'],
    ['x'.repeat(2_001), 'A filter has at most 2000 characters.'],
  ])('%s is refused: %s', (filter, detail) => {
    expect(truth(filter)).toBe(detail);
  });
});
