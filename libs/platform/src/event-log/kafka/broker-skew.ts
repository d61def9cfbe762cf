import type { Clock } from '../../clock/clock.js';

/** Beyond what was seen: a record is seen a little after its time was taken, so the true difference may be larger. */
const MARGIN_MS = 100;
const REMEMBERED_MS = 600_000;

/**
 * How far the brokers' clocks are seen to run ahead of this process. A time that a broker gave and that lies in the future here
 * is proof. Behind needs no care: then an answer in the broker's time is early, which is safe.
 */
export class BrokerSkew {
  private aheadMs = 0;
  private seenAtMs = 0;

  constructor(private readonly clock: Clock) {}

  /** `brokerMs` is a time that a broker has given, in ms since 1970. */
  observe(brokerMs: number): void {
    const nowMs = this.clock.now().epochMilliseconds;
    const aheadMs = brokerMs - nowMs;
    if (aheadMs <= 0 || (aheadMs < this.aheadMs && nowMs - this.seenAtMs < REMEMBERED_MS)) return;
    this.aheadMs = aheadMs;
    this.seenAtMs = nowMs;
  }

  /** What to take off a broker's time so that it lies before the same moment here; 0 while the clocks seem to agree. */
  holdBackMs(): number {
    const isKnown = this.aheadMs > 0 && this.clock.now().epochMilliseconds - this.seenAtMs < REMEMBERED_MS;
    return isKnown ? this.aheadMs + MARGIN_MS : 0;
  }
}
