import { tooManyValues } from './too-large.js';

/** JSON values of a request: two bytes make one, and it takes a hundred in memory. */
export const valuesMax = 1_000_000;

const [quote, backslash, comma, openBracket, openBrace] = [34, 92, 44, 91, 123];

/**
 * Throws 413 where the JSON texts of a request hold more values than a request may. It is asked before anything is
 * parsed: nine megabytes of brackets took three seconds and a gigabyte.
 */
export function checkValues(texts: readonly string[]): void {
  // Each value but the first has a bracket or a comma before it, so a short request needs no look.
  if (texts.reduce((size, { length }) => size + length, 0) < valuesMax) return;
  let values = 0;
  for (const text of texts) {
    values += valuesIn(text);
    if (values > valuesMax) throw tooManyValues(valuesMax);
  }
}

/** Brackets and commas outside of strings; of text that is no JSON, some number. */
function valuesIn(text: string): number {
  let values = 0;
  for (let at = 0; at < text.length && values <= valuesMax; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === comma || code === openBracket || code === openBrace) values += 1;
  }
  return values;
}

/** Where the quote stands that ends a string; the end of the text where none does. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}
