import { hash } from 'node:crypto';
import type { LineIdentity } from '#domain';

/** What a request says about the lines or entries in it. */
export interface LineOptions {
  /** Names the log: a line is then identified by its number in it. */
  readonly batch: string | null;
  /** The number of the body's first line. */
  readonly firstLine: number;
  /** What a line's subject is; null where the format's own rule decides. */
  readonly subject: 'client' | 'user' | null;
}

export interface IdentifiedLine {
  readonly text: string;
  /** In the log that the batch names. */
  readonly number: number;
}

/**
 * Identifies lines that have no id of their own: by their number in a named batch, else by what they say. Real logs repeat
 * whole lines, so the ordinal among equal lines of the request is part of the identity.
 */
export function identifyLines(options: Pick<LineOptions, 'batch'> & { readonly source: string }): (line: IdentifiedLine) => LineIdentity {
  const { batch, source } = options;
  if (batch !== null) return ({ number }) => ({ source: `batch:${batch}`, id: String(number) });
  const seen = new Map<string, number>();
  return ({ text }) => {
    const digest = hash('sha256', text, 'hex');
    const ordinal = (seen.get(digest) ?? 0) + 1;
    seen.set(digest, ordinal);
    return { source, id: `${digest}-${ordinal}` };
  };
}
