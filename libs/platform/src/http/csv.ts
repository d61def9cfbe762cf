import { stringify } from 'csv-stringify/sync';

export interface CsvColumn {
  readonly name: string;
  /** Text that somebody else chose. What looks like a formula gets an apostrophe in front, so that no spreadsheet runs it. */
  readonly isText: boolean;
}

export type CsvCell = string | boolean | null | undefined;

/** What a spreadsheet takes for a formula; the wide forms are taken by some that are set to Chinese or Japanese. */
const formula = /^[=+\-@\t\r＝＋－＠]/;

/** RFC 4180, line by line as `columns` say; with a header, unless it is the continuation of such a text. */
export function csvText(columns: readonly CsvColumn[], rows: readonly (readonly CsvCell[])[], options: { readonly hasHeader: boolean } = { hasHeader: true }): string {
  const cells = rows.map((row) => row.map((cell, index) => cellText(cell, columns[index]?.isText ?? true)));
  return stringify(cells, { header: options.hasHeader, columns: columns.map(({ name, isText }) => cellText(name, isText)), record_delimiter: 'windows', quoted_match: /[\r\n]/ });
}

export function asksForCsv(accept: string): boolean {
  return /(?:^|,)\s*text\/csv\s*(?:;|,|$)/i.test(accept);
}

function cellText(cell: CsvCell, isText: boolean): string {
  const text = String(cell ?? '');
  return isText && formula.test(text) ? `'${text}` : text;
}
