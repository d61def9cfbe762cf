import { describe, expect, it } from 'vitest';
import { parseData } from './data-value.js';
import { matchesFilter } from './evaluate-expression.js';
import { parseFilter } from './parse-expression.js';

// Goal: what an expression means, and that each fault names its place. Method: one event, one expression per row.
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
    // Reckoning: decimals, 18 digits after the point, a quotient rounded half away from zero.
    ['data.n + 1 == 6', true], ['data.n - 7 == -2', true], ['data.n * 1.5 == 7.5', true], ['data.n / 2 == 2.5', true], ['data.n % 3 == 2', true], ['-data.n % 3 == -2', true], ['data.n % -3 == 2', true],
    ['1 + data.n * 2 == 11', true], ['(1 + data.n) * 2 == 12', true], ['data.n - 2 - 1 == 2', true], ['data.n -1 == 4', true], ['-data.n == -5', true], ['10 / data.n / 2 == 1', true], ['data.n * 2 < data.user.age', true],
    ['data.n / 3 == 1.666666666666666667', true], ['-data.n / 3 == -1.666666666666666667', true], ['data.tiny * data.tiny == 0.00000000000001', true], ['0.000000001 * 0.0000000005 * data.n == 0.000000000000000005', true],
    ['data.n / 0 == 0', false], ['!(data.n / 0 == 0)', false], ['data.n % 0 == 0', false], ['data.text + 1 == 1', false], ['!(data.digits + 1 == 6)', false], ['double(data.digits) + 1 == 6', true], ['double("1.50") == data.n - 3.5', true],
    ['99999999999999999999 + data.n > 0', false], ['99999999999999999999 - data.n == 99999999999999999994', true], ['data.huge + 1 > 0', false],
    // Texts.
    ['data.text.startsWith("e")', true], ['data.text.endsWith("u")', true], ['data.text.contains("")', true], ['data.text.startsWith("u")', false], ['!data.n.startsWith("5")', false], ['data.text.contains(data.empty)', true],
    ['data.text.matches("^e.$")', true], ['data.text.matches("U")', false], ['data.user.id.matches(r"^u\\d+$")', true], ['data.user.id.matches("^u\\\\d+$")', true], ['data.text.upperAscii() == "EU"', true], ['"EU".lowerAscii() == data.text', true],
    ['data.higher.matches("^.$")', true], ['!data.n.matches("5")', false],
    ['size(data.text) == 2', true], ['data.higher.size() == 1', true], ['size(data.tags) == 5', true], ['size(data.user) == 2', true], ['size(data.n) == 1', false], ['!(size(data.none) == 0)', false], ['size(data.text.upperAscii()) == 2', true],
    // A choice; conditions as values; lists of paths.
    ['data.yes ? data.n == 5 : data.n == 6', true], ['(data.no ? 1 : data.n) == 5', true], ['(data.yes ? data.text : data.none) == "eu"', true], ['(data.none ? 1 : 2) > 0', false], ['data.no ? false : true', true],
    ['data.no ? data.yes : data.no ? data.no : data.yes', true], ['(data.yes ? data.user : data.n) != null', true], ['(data.yes ? data.yes : data.n)', true],
    ['(data.n == 5) == true', true], ['(data.n == 5) != data.no', true], ['(data.none == 5) == false', false],
    ['data.n in [data.user.age, data.n]', true], ['!(data.n in [data.user.age, "x"])', true], ['!(data.n in [data.none])', false], ['data.n + 25 in [data.user.age]', true], ['data.text.upperAscii() in ["EU"]', true],
    ['data.text in data.tags', false], ['!(data.text in data.tags)', true], ['data.user.id in data.tags', false], ['data.n - 4 in data.tags', true], ['data.none in data.tags', false], ['!(data.none in data.tags)', false],
    // What is missing or of another type is unknown: no match, negated or not, unless the rest decides.
    ['data.none == 5', false], ['data.none != 5', false], ['!(data.none == 5)', false], ['!(data.text == 5)', false], ['data.text != 5', false],
    ['data.digits == 5', false], ['data.n == "5"', false], ['data.text < 5', false], ['data.yes < "x"', false], ['!data.n', false], ['!(data.n in ["5"])', false],
    ['!("a" in data.text)', false], ['data.user == "u1"', false], ['data.huge > 1', false], ['data.nothing < 5', false],
    ['data.none == 5 || data.yes', true], ['!(data.none == 5 && data.no)', true], ['!(data.none == 5 || data.no)', false],
  ])('%s: %s', (filter, answer) => {
    expect(truth(filter)).toBe(answer);
  });

  it.each([
    ['', 'The expression ends too early. (at character 1)'],
    ['data.n <', 'The expression ends too early. (at character 9)'],
    ['data.n = 5', '"=" is not understood. (at character 8)'],
    ['data.n < 5 5', '"5" is not expected here; understood are comparisons, &&, ||, !, in, ? :, + - * / %, has(), size(), double(), startsWith(), endsWith(), contains(), matches(), lowerAscii() and upperAscii(). (at character 12)'],
    ['data.n + 1', 'A condition is expected here, such as data.status < 500. (at character 1)'],
    ['data.n + "1" == 6', 'A number is expected here: a path, a number or what is worked out of them. (at character 10)'],
    ['data.n + 0.0000000000000000001 > 5', 'A number that is reckoned with has at most 20 digits before and 18 after the point. (at character 10)'],
    ['data.yes ? 1 : "x"', 'What is chosen between has one type: two numbers, two texts or two conditions. (at character 16)'],
    ['data.yes ? data.n', '":" is expected here. (at character 18)'],
    ['data.text.reverse() == "ue"', 'The function reverse() is not understood; understood are comparisons, &&, ||, !, in, ? :, + - * / %, has(), size(), double(), startsWith(), endsWith(), contains(), matches(), lowerAscii() and upperAscii(). (at character 11)'],
    ['timestamp(data.text) > 5', 'The function timestamp() is not understood; understood are comparisons, &&, ||, !, in, ? :, + - * / %, has(), size(), double(), startsWith(), endsWith(), contains(), matches(), lowerAscii() and upperAscii(). (at character 1)'],
    ['data.text.startsWith("e", "u")', 'startsWith() takes one value between its brackets. (at character 11)'],
    ['data.text.startsWith(5)', 'A text is expected here: a path or a text in quotes. (at character 22)'],
    ['data.text.matches(data.empty)', 'matches() takes a pattern in quotes, such as "^/v[0-9]+/". (at character 19)'],
    ['data.text.matches("a(b")', 'This pattern is not understood: a ")" is missing, at its character 4. (at character 19)'],
    ['data.text.matches("(a{1,30}){1,30}")', 'This pattern is not understood: its repetitions make more than 500 steps. (at character 19)'],
    ['size(data.n == 5) == 1', 'Only texts, lists and objects have a size. (at character 6)'],
    ['size(data.n) == "x"', 'These two are never of one type. (at character 1)'],
    ['[1] == data.n', 'A list stands only after "in". (at character 1)'],
    [`${'1 + '.repeat(51)}data.n == 5`, 'An expression has at most 50 operations and functions. (at character 1)'],
    ['has(data)', 'A path names a member of data, at most 10 levels deep. (at character 5)'],
    ['has("x")', 'has() takes a path into data, such as has(data.route). (at character 5)'],
    ['data == 5', 'A path names a member of data, at most 10 levels deep. (at character 1)'],
    ['data. == 5', 'The name of a member is expected here. (at character 7)'],
    ['data[0] == 5', 'The name of a member is expected here. (at character 6)'],
    ['1 == 1', 'A comparison needs a path into data. (at character 1)'],
    ['5', 'A condition is expected here, such as data.status < 500. (at character 1)'],
    ['data.yes < true', 'Only numbers and texts have an order. (at character 12)'],
    ['(data.n == 5', '")" is expected here. (at character 13)'],
    ['(data.n == 5) < true', 'Only numbers and texts have an order. (at character 2)'],
    ['data.n in 5', '"in" takes a value, and a list or a path to one. (at character 11)'],
    ['5 in [5]', 'Before a list of values, "in" needs a path into data, or what is worked out of one. (at character 1)'],
    ['data.text == "a\\q"', 'This text has an escape that is not understood. (at character 14)'],
    ['data.text == "\\ud800"', 'This text has an escape that is not understood. (at character 14)'],
    [`data.n < ${'9'.repeat(39)}`, 'A number has at most 38 digits before and after the point. (at character 10)'],
    [`data.n in [${'1,'.repeat(200)}1]`, 'A list has at most 200 values. (at character 412)'],
    [`${'!'.repeat(40)}data.yes`, 'An expression is nested at most 32 levels deep. (at character 33)'],
    [`${'('.repeat(1_999)}`, 'An expression is nested at most 32 levels deep. (at character 33)'],
    ['x'.repeat(2_001), 'A filter has at most 2000 characters.'],
  ])('%s is refused: %s', (filter, detail) => {
    expect(truth(filter)).toBe(detail);
  });
});
