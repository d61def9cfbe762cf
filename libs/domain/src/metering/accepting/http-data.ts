import type { ExactNumber } from './exact-json.js';

export const httpRequestType = 'http.request';

/** A number with all its digits: a float where it holds them. */
export type ExactValue = number | ExactNumber;

/** The data of every event that a web server or a gateway reports about a request. Null is what it does not say. */
export interface HttpFields {
  readonly client?: string | null;
  readonly user?: string | null;
  readonly method?: string | null;
  /** Without the query. */
  readonly path?: string | null;
  readonly query?: string | null;
  readonly protocol?: string | null;
  readonly status?: ExactValue | null;
  /** Of the answer. */
  readonly bytes?: ExactValue | null;
  readonly request_bytes?: ExactValue | null;
  readonly latency_ms?: ExactValue | null;
  readonly route?: string | null;
  readonly service?: string | null;
  readonly user_agent?: string | null;
  readonly referer?: string | null;
}

/** The fields that the log has, as the data of an event. */
export function httpData(fields: HttpFields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
}
