import { unquoted } from './data-path.js';

/** One word of an expression; `at` counts characters from 1, as people do. */
export type Token =
  | { readonly kind: 'name' | 'sign' | 'number' | 'string'; readonly text: string; readonly at: number }
  | { readonly kind: 'end'; readonly text: ''; readonly at: number };

/** Thrown within the parser only; `parseExpression` turns it into an answer. */
export class ExpressionSyntaxError extends Error {
  constructor(detail: string, at: number) {
    super(`${detail} (at character ${at})`);
    this.name = 'ExpressionSyntaxError';
  }
}

const pattern =
  /r(?<raw>"[^"\r\n]*"|'[^'\r\n]*')|(?<name>[A-Za-z_][A-Za-z0-9_]*)|(?<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)|(?<string>"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*')|(?<sign>==|!=|<=|>=|&&|\|\||[<>!()[\].,?:+*/%-])/y;
const blank = /\s*/y;

export function expressionTokens(text: string): Token[] {
  const tokens: Token[] = [];
  for (let index = skipBlank(text, 0); index < text.length; ) {
    pattern.lastIndex = index;
    const match = pattern.exec(text);
    const at = index + 1;
    if (match === null) throw new ExpressionSyntaxError(`"${text.slice(index, index + 1)}" is not understood.`, at);
    tokens.push(tokenOf(match.groups ?? {}, at));
    index = skipBlank(text, index + match[0].length);
  }
  return [...tokens, { kind: 'end', text: '', at: text.length + 1 }];
}

function tokenOf(found: { raw?: string; name?: string; number?: string; string?: string; sign?: string }, at: number): Token {
  if (found.name !== undefined) return { kind: 'name', text: found.name, at };
  if (found.number !== undefined) return { kind: 'number', text: found.number.startsWith('.') ? `0${found.number}` : found.number, at };
  if (found.sign !== undefined) return { kind: 'sign', text: found.sign, at };
  const text = found.raw === undefined ? unquoted(found.string ?? '""') : found.raw.slice(1, -1); // A raw text has no escapes.
  if (text === null || !text.isWellFormed()) throw new ExpressionSyntaxError('This text has an escape that is not understood.', at);
  return { kind: 'string', text, at };
}

function skipBlank(text: string, index: number): number {
  blank.lastIndex = index;
  blank.exec(text);
  return blank.lastIndex;
}
