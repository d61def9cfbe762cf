import { describe, expect, it } from 'vitest';
import { period } from '../period/period.js';
import { subscriptionEvents, subscriptionStatusAfter, subscriptionStatusAt, subscriptionStatuses, type SubscriptionStatus, subscriptionTransitions } from './subscription-status.js';

const at = (text: string) => Temporal.Instant.from(text);

describe('subscriptionTransitions', () => {
  it('is this table and no other', () => {
    const rows = subscriptionStatuses.map((status) => [status, ...subscriptionEvents.map((event) => subscriptionStatusAfter(status, event) ?? '–')].join(' '));
    expect(rows).toEqual([
      // status, start, start_trial, end_trial, cancel
      'scheduled active trialing – canceled',
      'trialing – – active canceled',
      'active – – – canceled',
      'canceled – – – –',
    ]);
  });

  it('reaches every status from scheduled, and leaves canceled nowhere', () => {
    const reached = new Set<SubscriptionStatus>(['scheduled']);
    for (const status of reached) {
      for (const next of Object.values(subscriptionTransitions[status])) reached.add(next);
    }
    expect([...reached].sort()).toEqual([...subscriptionStatuses].sort());
    expect(subscriptionTransitions.canceled).toEqual({});
  });
});

describe('subscriptionStatusAt', () => {
  const startAt = at('2026-11-01T00:00Z');
  const trial = period(startAt, at('2026-11-15T00:00Z'));
  const endAt = at('2026-12-20T00:00Z');

  it.each([
    ['2026-10-31T23:59:59Z', 'scheduled'],
    ['2026-11-01T00:00:00Z', 'trialing'],
    ['2026-11-14T23:59:59Z', 'trialing'],
    ['2026-11-15T00:00:00Z', 'active'],
    ['2026-12-19T23:59:59Z', 'active'],
    ['2026-12-20T00:00:00Z', 'canceled'],
  ])('at %s it is %s', (now, status) => {
    expect(subscriptionStatusAt({ startAt, trial, endAt }, at(now))).toBe(status);
  });

  it('is active at once without a trial, and canceled where it ended before it began', () => {
    expect(subscriptionStatusAt({ startAt, trial: null }, startAt)).toBe('active');
    expect(subscriptionStatusAt({ startAt, trial: null, endAt: at('2026-10-01T00:00Z') }, at('2026-10-15T00:00Z'))).toBe('canceled');
  });

  it('moves only along the table', () => {
    const moments = ['2026-10-01T00:00Z', '2026-11-01T00:00Z', '2026-11-15T00:00Z', '2026-12-20T00:00Z'].map(at);
    const lives = [{ startAt, trial, endAt }, { startAt, trial: null, endAt }, { startAt, trial, endAt: trial.end }, { startAt, trial, endAt: startAt }];
    for (const life of lives) {
      const statuses = moments.map((now) => subscriptionStatusAt(life, now)).filter((status, index, all) => status !== all[index - 1]);
      for (const [index, status] of statuses.slice(1).entries()) {
        expect(Object.values(subscriptionTransitions[statuses[index] ?? 'canceled'])).toContain(status);
      }
    }
  });
});
