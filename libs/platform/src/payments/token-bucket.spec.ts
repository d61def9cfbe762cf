import { describe, expect, it } from 'vitest';

import type { Clock } from '../clock/clock.js';

import { TokenBucket } from './token-bucket.js';

/** Stands still; sleepers are only written down. */
function stillClock(): Clock & { nowMs: number; slept: number[] } {
  const clock = {
    nowMs: 1_000_000,
    slept: [] as number[],
    now: () => Temporal.Instant.fromEpochMilliseconds(clock.nowMs),
    sleep: (durationMs: number) => {
      clock.slept.push(durationMs);
      return Promise.resolve();
    },
  };
  return clock;
}

describe('TokenBucket', () => {
  it('lets a burst go, then one call each 1000 / rate milliseconds, in order', async () => {
    const clock = stillClock();
    const bucket = new TokenBucket({ ratePerSecond: 10, burstMax: 3, waitMaxMs: 1000, clock });
    await Promise.all(Array.from({ length: 6 }, () => bucket.take()));
    expect(clock.slept).toEqual([100, 200, 300]); // the first three wait for nothing
  });

  it('fills again while nobody asks, but not above the burst', async () => {
    const clock = stillClock();
    const bucket = new TokenBucket({ ratePerSecond: 10, burstMax: 2, waitMaxMs: 1000, clock });
    await bucket.take();
    await bucket.take();
    clock.nowMs += 60_000;
    await Promise.all([bucket.take(), bucket.take(), bucket.take()]);
    expect(clock.slept).toEqual([100]);
  });

  it('turns away whoever would wait too long, and says how long that is', async () => {
    const bucket = new TokenBucket({ ratePerSecond: 10, burstMax: 1, waitMaxMs: 150, clock: stillClock() });
    expect(await bucket.take()).toEqual({ granted: true });
    expect(await bucket.take()).toEqual({ granted: true });
    expect(await bucket.take()).toEqual({ granted: false, retryAfterMs: 200 });
  });

  it('opens at once after the clock was set back', async () => {
    const clock = stillClock();
    const bucket = new TokenBucket({ ratePerSecond: 10, burstMax: 1, waitMaxMs: 150, clock });
    await bucket.take();
    clock.nowMs -= 500_000;
    expect(await bucket.take()).toEqual({ granted: true });
    expect(clock.slept).toEqual([]);
  });
});
