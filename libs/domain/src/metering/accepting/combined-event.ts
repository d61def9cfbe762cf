import { canonicalNumber } from './canonical-number.js';
import type { CombinedLine } from './combined-line.js';
import { ExactNumber } from './exact-json.js';
import { httpData, httpRequestType } from './http-data.js';

/** What identifies a line: its number in a named batch, or its own text. */
export interface LineIdentity {
  readonly source: string;
  readonly id: string;
}

/** The event of an access-log line, as a sender would have posted it. Without a subject where the line names no user and the user is asked for. */
export function combinedEvent(line: CombinedLine, identity: LineIdentity, subject: 'client' | 'user'): Record<string, unknown> {
  const subjectText = subject === 'user' ? line.user : line.client;
  return {
    id: identity.id,
    source: identity.source,
    type: httpRequestType,
    ...(subjectText === null ? {} : { subject: subjectText }),
    time: line.time,
    data: httpData({
      client: line.client,
      user: line.user,
      method: line.method,
      path: line.path,
      query: line.query,
      protocol: line.protocol,
      status: line.status,
      bytes: byteCount(line.bytes),
      user_agent: line.userAgent,
      referer: line.referer,
    }),
  };
}

function byteCount(digits: string): number | ExactNumber {
  return digits.length <= 15 ? Number.parseInt(digits, 10) : new ExactNumber(canonicalNumber(digits));
}
