import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from '#platform';

/** A Content-Type header, its parts in lower case. */
export interface MediaType {
  readonly type: string;
  readonly charset: string | null;
}

const plainJson: MediaType = { type: 'application/json', charset: null };

/** Null where there is no such header. */
export function parseMediaType(header: string | undefined): MediaType | null {
  if (header === plainJson.type) return plainJson; // What nearly everybody sends.
  const [type = '', ...parameters] = (header ?? '').toLowerCase().split(';').map((part) => part.trim());
  if (type === '') return null;
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  return { type, charset: charset === undefined ? null : charset.slice('charset='.length).replace(/^"(.*)"$/, '$1') };
}

export function isUtf8Charset(charset: string | null): boolean {
  return charset === null || charset === 'utf-8' || charset === 'utf8';
}

/** `application/json`, `text/json` and everything that says it is JSON by its suffix. */
export function isJsonType(type: string): boolean {
  return type === 'application/json' || type === 'text/json' || /^[\w.+-]+\/[\w.+-]+\+json$/.test(type);
}

export interface TakenType {
  readonly isTaken: (type: string) => boolean;
  /** What a sender of something else is told to send. */
  readonly example: string;
}

export const takesJson: TakenType = { isTaken: isJsonType, example: 'application/json' };

/** The type of a body in UTF-8 that is one of those taken; else throws 415. */
export function requiredType(headers: IncomingHttpHeaders, { isTaken, example }: TakenType): string {
  const mediaType = parseMediaType(headers['content-type']);
  if (mediaType === null || !isTaken(mediaType.type)) throw new Problem({ status: 415, code: 'unsupported_media_type', detail: `Send ${example}.` });
  if (!isUtf8Charset(mediaType.charset)) throw unsupportedCharset();
  return mediaType.type;
}

export function unsupportedCharset(): Problem {
  return new Problem({ status: 415, code: 'unsupported_charset', detail: 'Send the body in UTF-8.' });
}
