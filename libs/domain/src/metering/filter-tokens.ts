import { unquoted } from './data-path.js';

/** One word of a filter; `at` counts characters from 1, as people do. */
export type Token =
  | { readonly kind: 'name' | 'sign' | 'number' | 'string'; readonly text: string; readonly at: number }
  | { readonly kind: 'end'; readonly text: ''; readonly at: number };

/** Thrown within the parser only; `parseFilter` turns it into an answer. */
export class FilterSyntaxError extends Error {
  constructor(detail: string, at: number) {
    super(`${detail} (at character ${at})`);
    this.name = 'FilterSyntaxError';
  }
}

const pattern =
  /(?<name>[A-Za-z_][A-Za-z0-9_]*)|(?<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)|(?<string>"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*')|(?<sign>==|!=|<=|>=|&&|\|\||[<>!()[\].,-])/y;
const blank = /\s*/y;

export function filterTokens(text: string): Token[] {
  const tokens: Token[] = [];
  for (let index = skipBlank(text, 0); index < text.length; ) {
    pattern.lastIndex = index;
    const match = pattern.exec(text);
    const at = index + 1;
    if (match === null) throw new FilterSyntaxError(`"${text.slice(index, index + 1)}" is not understood.`, at);
    tokens.push(tokenOf(match.groups ?? {}, at));
    index = skipBlank(text, index + match[0].length);
  }
  return [...tokens, { kind: 'end', text: '', at: text.length + 1 }];
}

function tokenOf(found: { name?: string; number?: string; string?: string; sign?: string }, at: number): Token {
  if (found.name !== undefined) return { kind: 'name', text: found.name, at };
  if (found.number !== undefined) return { kind: 'number', text: found.number.startsWith('.') ? `0${found.number}` : found.number, at };
  if (found.sign !== undefined) return { kind: 'sign', text: found.sign, at };
  const text = unquoted(found.string ?? '""');
  if (text === null || !text.isWellFormed()) throw new FilterSyntaxError('This text has an escape that is not understood.', at);
  return { kind: 'string', text, at };
}

function skipBlank(text: string, index: number): number {
  blank.lastIndex = index;
  blank.exec(text);
  return blank.lastIndex;
}
