/** A Content-Type header, its parts in lower case. */
export interface MediaType {
  readonly type: string;
  readonly charset: string | null;
}

/** Null where there is no such header. */
export function parseMediaType(header: string | undefined): MediaType | null {
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
