import { isUtf8 } from 'node:buffer';
import { eventsMax } from '#contracts';
import { tooManyEvents } from './too-large.js';

export interface Line {
  readonly text: string;
  /** Blank lines are counted too. */
  readonly number: number;
}

const blank = /^[ \t\r\f\v]*$/;

/** The lines that are not blank, without CR and LF. Throws 413 where there are more of them than events in a request. */
export function linesOf(text: string, firstLine = 1): Line[] {
  const lines: Line[] = [];
  let number = firstLine - 1;
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf('\n', from);
    const end = newline < 0 ? text.length : newline;
    number += 1;
    const line = text.slice(from, end > from && text.charCodeAt(end - 1) === 13 ? end - 1 : end);
    if (!blank.test(line)) {
      if (lines.length === eventsMax) throw tooManyEvents();
      lines.push({ text: line, number });
    }
    from = end + 1;
  }
  return lines;
}

/** As `linesOf`; a line that is no UTF-8 is taken byte by byte, so that it harms no other and stays the same text wherever the log is cut. */
export function linesOfBytes(body: Buffer, firstLine: number): Line[] {
  if (isUtf8(body)) return linesOf(body.toString('utf8').replace(/^\ufeff/, ''), firstLine);
  // Bytes as characters keep every line feed where it is: UTF-8 has none inside a longer character.
  return linesOf(body.toString('latin1'), firstLine).map(({ text, number }) => {
    const bytes = Buffer.from(text, 'latin1');
    return { text: isUtf8(bytes) ? bytes.toString('utf8') : text, number };
  });
}
