/**
 * What happens to a call instead of its normal course:
 * - `error_before`: a 500 (or `status`) before anything ran; nothing is kept under the key;
 * - `error_stored`: nothing ran, but the failure is kept and comes again for that key, as when Stripe fails early in a call;
 * - `error_after`: it ran, the answer is lost inside Stripe, and the failure is kept for that key;
 * - `timeout_before`, `timeout_after`: no answer at all, without and with the effect; the caller waits until it gives up;
 * - `cut_before`, `cut_after`: the same with the connection cut at once;
 * - `held`: the connection is cut while the call still runs; its key is in use, and its effect comes with `releaseHeld()`;
 * - `status`: the given status and code, nothing ran, nothing kept (429, 409, 401 and so on).
 */
export type ScriptedOutcome = 'error_before' | 'error_stored' | 'error_after' | 'timeout_before' | 'timeout_after' | 'cut_before' | 'cut_after' | 'held' | 'status';

export interface Script {
  /** Method and path, where `*` stands for one part: `GET /v1/invoices/*` for one invoice; `*` alone matches every call. */
  readonly match: string;
  readonly outcome: ScriptedOutcome;
  /** How many matching calls pass first; default 0. */
  readonly skip?: number;
  /** How many calls it then happens to; default 1. */
  readonly times?: number;
  /** Default 500. */
  readonly status?: number;
  readonly code?: string;
}

interface Running {
  readonly script: Script;
  skipLeft: number;
  timesLeft: number;
}

export class ScriptedOutcomes {
  private running: Running[] = [];

  add(script: Script): void {
    this.running.push({ script, skipLeft: script.skip ?? 0, timesLeft: script.times ?? 1 });
  }

  clear(): void {
    this.running = [];
  }

  /** How many outcomes still wait for their call. */
  get waiting(): number {
    return this.running.filter((entry) => entry.timesLeft > 0).length;
  }

  next(method: string, path: string): Script | null {
    for (const entry of this.running) {
      if (entry.timesLeft === 0 || !matches(entry.script.match, `${method} ${path}`)) continue;
      if (entry.skipLeft > 0) {
        entry.skipLeft -= 1;
        continue;
      }
      entry.timesLeft -= 1;
      return entry.script;
    }
    return null;
  }
}

function matches(pattern: string, call: string): boolean {
  if (pattern === '*') return true;
  const [wanted, given] = [pattern.split('/'), call.split('/')];
  return wanted.length === given.length && wanted.every((part, index) => part === '*' || part === given[index]);
}
