import { beforeEach, describe, expect, it } from 'vitest';
import type { LogRecord } from '#platform';
import { ManualClock } from '#testing';
import { OrganizationLag } from './organization-lag.js';

// Goal: whose usage comes late, in a bounded number of names. Method: batches by hand, of keys as ingest writes them.

const start = Temporal.Instant.from('2026-11-01T00:00:00Z');
const record = (organization: string, secondsAgo: number): LogRecord => ({ position: 0n, key: `${organization}/7/default/e1`, value: '{}', appendedAt: start.subtract({ milliseconds: secondsAgo * 1_000 }) });
const read = (lag: OrganizationLag): Record<string, number> => Object.fromEntries(lag.read());

describe('OrganizationLag', () => {
  let clock: ManualClock;
  let lag: OrganizationLag;
  beforeEach(() => {
    clock = new ManualClock(start);
    lag = new OrganizationLag(clock);
  });

  it('tells of each organization the longest way from append to count', () => {
    lag.counted([record('org_a', 3), record('org_b', 0.5), record('org_a', 2)]);
    lag.counted([record('org_a', 1)]);
    expect(read(lag)).toEqual({ org_a: 3, org_b: 0.5 });
  });

  it('forgets what is older than two minutes', () => {
    lag.counted([record('org_a', 5)]);
    clock.advance(60_000);
    lag.counted([record('org_b', 0)]); // Counted 60 s later, so it took 60 s.
    expect(read(lag)).toEqual({ org_a: 5, org_b: 60 });
    clock.advance(60_000);
    expect(read(lag)).toEqual({ org_b: 60 });
    clock.advance(120_000);
    expect(read(lag)).toEqual({});
  });

  it('names the twenty organizations with the most events, and the longest of the others', () => {
    const busy = Array.from({ length: 20 }, (_, nth) => `org_${nth}`);
    lag.counted([record('org_rare', 9), record('org_odd', 4), ...busy.flatMap((name) => [record(name, 1), record(name, 1)])]);
    expect(read(lag)).toEqual({ ...Object.fromEntries(busy.map((name) => [name, 1])), other: 9 });
  });

  it('takes clocks that disagree for no lag', () => {
    lag.counted([record('org_a', -2)]);
    expect(read(lag)).toEqual({ org_a: 0 });
  });

  it('holds ten thousand names at most, whatever stands in the log', () => {
    lag.counted(Array.from({ length: 10_050 }, (_, nth) => record(`org_${nth}`, nth < 10_000 ? 1 : 2)));
    const seen = read(lag);
    expect(Object.keys(seen)).toHaveLength(21);
    expect(seen['other']).toBe(2);
  });
});
