import { expect, it } from 'vitest';
import { changedMembers } from './changed-members.js';
import { parseExactNumbers } from './exact-json.js';

it.each<[string, string, [string, string | null, string | null][]]>([
  ['{"id":"1","n":1.10}', '{"n":1.1,"id":"1"}', []], // Order of names and form of numbers are no change.
  ['{"time":"2020","data":{"n":12345678901234567890.5,"a":1}}', '{"time":"2021","data":{"n":12345678901234567890.6}}', [
    ['/data/a', '1', null], ['/data/n', '12345678901234567890.5', '12345678901234567890.6'], ['/time', '"2020"', '"2021"']]],
  ['{"a/b":{"~":[1,{"y":1,"x":2}]}}', '{"a/b":{"~":[1,{"x":2,"y":2}]}}', [['/a~1b/~0', '[1,{"x":2,"y":1}]', '[1,{"x":2,"y":2}]']]],
  ['{"a":null}', '{"a":"null"}', [['/a', 'null', '"null"']]],
  ['{"a":{"b":1}}', '{"a":[1]}', [['/a', '{"b":1}', '[1]']]],
  ['"a log line"', '{"id":"1"}', [['', '"a log line"', '{"id":"1"}']]],
  ['{"__proto__":1}', '{"__proto__":2}', [['/__proto__', '1', '2']]],
])('from %s to %s', (before, after, changes) => {
  const found = changedMembers(parseExactNumbers(before), parseExactNumbers(after));
  expect(found.map(({ pointer, from, to }) => [pointer, from, to])).toEqual(changes);
});

it('tells the beginning of what is long, and no more than a hundred', () => {
  const [change] = changedMembers({ a: 'x'.repeat(2_000) }, {});
  expect(change?.from).toBe(JSON.stringify(`"${'x'.repeat(999)}…`));
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`m${index}`, index]));
  expect(changedMembers(many, {})).toHaveLength(100);
});
