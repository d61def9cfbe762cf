import type { Clock } from '#platform';

import { DoubleError } from './double-error.js';

/** Stripe's limit of calls a second, in windows of one second of the injected clock. */
export class RateLimit {
  private windowStartMs = 0;
  private used = 0;

  constructor(private readonly options: { perSecondMax: number; clock: Clock }) {}

  count(): void {
    const nowMs = this.options.clock.now().epochMilliseconds;
    if (nowMs - this.windowStartMs >= 1000 || nowMs < this.windowStartMs) {
      this.windowStartMs = nowMs;
      this.used = 0;
    }
    this.used += 1;
    if (this.used > this.options.perSecondMax) throw new DoubleError({ status: 429, code: 'rate_limit', message: 'Request rate limit exceeded.' });
  }
}
