import type { Clock } from '../clock/clock.js';

export interface TokenBucketOptions {
  readonly ratePerSecond: number;
  /** How many may go at once after a pause. */
  readonly burstMax: number;
  /** Whoever would wait longer is turned away, so that the line of waiters is bounded. */
  readonly waitMaxMs: number;
  readonly clock: Clock;
}

export type Permit = { readonly granted: true } | { readonly granted: false; readonly retryAfterMs: number };

/** Spaces calls out so that at most `ratePerSecond` leave in the long run, in the order in which they asked. */
export class TokenBucket {
  /** When the next call may leave, in ms since the epoch, if the bucket is empty. */
  private nextAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: TokenBucketOptions) {}

  async take(): Promise<Permit> {
    const nowMs = this.options.clock.now().epochMilliseconds;
    const intervalMs = 1000 / this.options.ratePerSecond;
    // No call was ever granted that far ahead: the clock was set back, and must not shut the bucket for as long as it went back.
    if (this.nextAtMs > nowMs + this.options.waitMaxMs + intervalMs) this.nextAtMs = nowMs;
    const leavesAtMs = Math.max(this.nextAtMs, nowMs - (this.options.burstMax - 1) * intervalMs);
    const waitMs = Math.max(0, leavesAtMs - nowMs);
    if (waitMs > this.options.waitMaxMs) return { granted: false, retryAfterMs: Math.ceil(waitMs) };
    this.nextAtMs = leavesAtMs + intervalMs;
    if (waitMs > 0) await this.options.clock.sleep(waitMs);
    return { granted: true };
  }
}
