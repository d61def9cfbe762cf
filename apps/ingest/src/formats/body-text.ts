import { isAscii, isUtf8 } from 'node:buffer';
import { Problem } from '#platform';

const byteOrderMark = '\ufeff';

/** The text of a body that must be UTF-8; a byte order mark before it is dropped. */
export function bodyText(body: Buffer): string {
  if (isAscii(body)) return body.toString('latin1');
  if (!isUtf8(body)) throw new Problem({ status: 400, code: 'invalid_utf8', detail: 'The body is no valid UTF-8.' });
  const text = body.toString('utf8');
  return text.startsWith(byteOrderMark) ? text.slice(1) : text;
}
