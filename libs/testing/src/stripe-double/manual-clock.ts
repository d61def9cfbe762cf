import type { Clock } from '#platform';

/** Stands still until it is moved. Whoever sleeps by it moves it, so that nobody waits for real. */
export class ManualClock implements Clock {
  constructor(private instant: Temporal.Instant) {}

  now(): Temporal.Instant {
    return this.instant;
  }

  sleep(durationMs: number): Promise<void> {
    this.advance(durationMs);
    return Promise.resolve();
  }

  advance(durationMs: number): void {
    this.instant = this.instant.add({ nanoseconds: Math.round(durationMs * 1e6) });
  }
}
