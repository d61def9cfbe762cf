import { expect, it } from 'vitest';
import { asksForCsv, csvText } from './csv.js';

it('keeps a negative number, and takes a formula out of text', () => {
  const columns = [{ name: 'name', isText: true }, { name: 'value', isText: false }];
  const rows = [['=1+1', '-5'], ['+a', '1.5'], ['-a', null], ['@a', '0'], ['＝a', undefined], ['a=b', '2'], ['say "x", y', '3'], ['two\nlines', '4']];
  expect(csvText(columns, rows)).toBe(
    `name,value\r\n'=1+1,-5\r\n'+a,1.5\r\n'-a,\r\n'@a,0\r\n'＝a,\r\na=b,2\r\n"say ""x"", y",3\r\n"two\nlines",4\r\n`,
  );
});

it('has a header where there are no rows', () => {
  expect(csvText([{ name: '=x', isText: true }], [])).toBe("'=x\r\n");
});

it.each([['text/csv', true], ['application/json, text/csv;q=0.5', true], ['TEXT/CSV', true], ['text/csvx', false], ['*/*', false], ['', false]])('Accept: %s asks for CSV: %s', (accept, asks) => {
  expect(asksForCsv(accept)).toBe(asks);
});
