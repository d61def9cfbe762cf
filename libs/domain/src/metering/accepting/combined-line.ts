import { daysInMonth } from './micro-instant.js';

/** What one line of an access log in NGINX's and Apache's combined format says. What the line lacks ("-") is null. */
export interface CombinedLine {
  readonly client: string;
  readonly user: string | null;
  /** RFC 3339 with the log's own offset. */
  readonly time: string;
  readonly method: string | null;
  readonly path: string | null;
  readonly query: string | null;
  readonly protocol: string | null;
  readonly status: number | null;
  /** Decimal digits; "0" where the log has "-". */
  readonly bytes: string;
  readonly userAgent: string | null;
  readonly referer: string | null;
}

const quotedText = String.raw`"((?:[^"\\]|\\.)*)"`;
/**
 * `address identity user [time] "request" status bytes "referer" "agent"`. The user may hold blanks. Referer and agent
 * may be absent (common format), the last quote as well (writers cut long lines), and what servers add behind is left aside.
 * User and time are bounded, or a line of brackets would be tried from each of them.
 */
const linePattern = new RegExp(
  String.raw`^(\S+) \S+ (.{1,256}?) \[([^\]]{1,64})\] ${quotedText} (\d{3}|-) (\d{1,20}|-)(?: ${quotedText})?(?: "((?:[^"\\]|\\.)*)(?:"(?: .*)?)?)?\s*$`,
  's',
);
const timePattern = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2}) ([+-]\d{2})(\d{2})$/;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Characters of a line. Servers bound a request's line and headers to a fraction of it. */
export const combinedLineLengthMax = 65_536;

/** Null where the line is no log line. A request that is no HTTP ("-", a TLS greeting) only lacks method, path and protocol. */
export function parseCombinedLine(line: string): CombinedLine | null {
  if (line.length > combinedLineLengthMax) return null;
  const match = linePattern.exec(line);
  if (match === null) return null;
  const [, client = '', user = '-', timeText = '', request = '', status = '-', bytes = '-', referer, userAgent] = match;
  const time = isoTime(timeText);
  if (time === null) return null;
  return {
    client,
    user: present(user),
    time,
    ...parseRequest(unescaped(request)),
    status: status === '-' ? null : Number.parseInt(status, 10),
    bytes: bytes === '-' ? '0' : bytes,
    userAgent: present(userAgent),
    referer: present(referer),
  };
}

function present(field: string | undefined): string | null {
  return field === undefined || field === '-' || field === '' ? null : unescaped(field);
}

/** `[10/Oct/2026:13:55:36 -0700]` without its brackets as RFC 3339; null where it is no such time. */
export function isoTime(text: string): string | null {
  const match = timePattern.exec(text);
  if (match === null) return null;
  const [, day = '', monthName = '', year = '', timeOfDay = '', offsetHours = '', offsetMinutes = ''] = match;
  const month = months.indexOf(monthName) + 1;
  if (month === 0 || Number.parseInt(day, 10) > daysInMonth({ year: Number.parseInt(year, 10), month })) return null;
  return `${year}-${String(month).padStart(2, '0')}-${day}T${timeOfDay}${offsetHours}:${offsetMinutes}`;
}

type RequestParts = Pick<CombinedLine, 'method' | 'path' | 'query' | 'protocol'>;

/** `GET /a?b HTTP/1.1`; HTTP/0.9 has no protocol, and a careless client leaves blanks in the target. */
export function parseRequest(request: string): RequestParts {
  const match = /^([A-Za-z][A-Za-z_-]{0,31}) (\S.*?)(?: (HTTP\/[\d.]{1,8}))?$/s.exec(request);
  if (match === null) return { method: null, path: null, query: null, protocol: null };
  const [, method = '', target = '', protocol] = match;
  const queryAt = target.indexOf('?');
  return {
    method,
    path: queryAt < 0 ? target : target.slice(0, queryAt),
    query: queryAt < 0 ? null : target.slice(queryAt + 1),
    protocol: protocol ?? null,
  };
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', v: '\v', f: '\f' };

/**
 * Undoes what servers escape: `\"`, `\\`, `\n` and bytes as `\xHH`. Bytes that are no UTF-8 are left as the log wrote
 * them, since nobody can say which letters they were.
 */
function unescaped(field: string): string {
  if (!field.includes('\\')) return field;
  return field.replace(/((?:\\x[\da-fA-F]{2})+)|\\([^x])/g, (whole, hexBytes: string | undefined, letter: string | undefined) => {
    if (hexBytes === undefined) return escapes[letter ?? ''] ?? letter ?? whole;
    const bytes = Uint8Array.fromHex(hexBytes.replaceAll('\\x', ''));
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return whole;
    }
  });
}
