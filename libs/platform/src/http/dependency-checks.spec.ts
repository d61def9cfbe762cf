import { describe, expect, it } from 'vitest';
import type { Clock } from '../clock/clock.js';
import { DependencyChecks } from './dependency-checks.js';

// Goal: an answer in time, whatever hangs, and few questions. Method: a clock that moves by hand.

class HandClock implements Clock {
  private passedMs = 0;
  private readonly sleepers: { readonly untilMs: number; readonly wake: () => void }[] = [];

  now(): Temporal.Instant {
    return Temporal.Instant.from('2026-11-01T00:00:00Z').add({ milliseconds: this.passedMs });
  }

  sleep(durationMs: number): Promise<void> {
    return new Promise((wake) => void this.sleepers.push({ untilMs: this.passedMs + durationMs, wake }));
  }

  async pass(durationMs: number): Promise<void> {
    this.passedMs += durationMs;
    for (const { untilMs, wake } of this.sleepers) if (untilMs <= this.passedMs) wake();
    await new Promise(setImmediate);
  }
}

describe('DependencyChecks', () => {
  it('says of each whether it answers, and asks again after a second only', async () => {
    const clock = new HandClock();
    let asked = 0;
    let isAway = false;
    const checks = new DependencyChecks({
      postgres: async () => undefined,
      kafka: async () => {
        asked += 1;
        if (isAway) throw new Error('away');
      },
    }, clock);
    expect(await checks.results()).toEqual({ postgres: 'ok', kafka: 'ok' });
    isAway = true;
    await clock.pass(999);
    expect(await checks.results()).toEqual({ postgres: 'ok', kafka: 'ok' });
    await clock.pass(1);
    expect(await checks.results()).toEqual({ postgres: 'ok', kafka: 'failed' });
    expect(asked).toBe(2);
  });

  it('waits 1.5 s for one that hangs, and asks it no second time meanwhile', async () => {
    const clock = new HandClock();
    let asked = 0;
    const hanging = Promise.withResolvers<void>();
    const checks = new DependencyChecks({
      redis: () => {
        asked += 1;
        return hanging.promise;
      },
    }, clock);
    const first = checks.results();
    await clock.pass(1_500);
    expect(await first).toEqual({ redis: 'failed' });
    await clock.pass(5_000);
    expect(await checks.results()).toEqual({ redis: 'failed' });
    expect(asked).toBe(1);
    hanging.resolve();
    await clock.pass(0);
    expect(await checks.results()).toEqual({ redis: 'ok' });
  });

  it('takes a check that throws at once for a failed one', async () => {
    const checks = new DependencyChecks({ broken: () => { throw new Error('broken'); } }, new HandClock());
    expect(await checks.results()).toEqual({ broken: 'failed' });
  });
});
