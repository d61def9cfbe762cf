import { expect, it } from 'vitest';
import type { BillingSchedule } from '../subscription/billing-schedule.js';
import { settleCommitments, type CommitmentAccount } from './commitment-account.js';
import type { InvoiceLine } from './invoice-line.js';

// Goal: what a document settles. Method: 50.00 a month from January on; each row is a document with what it charges, after what earlier ones did.

const at = (text: string): Temporal.Instant => Temporal.Instant.from(text);
const schedule: BillingSchedule = {
  recurrence: { anchor: at('2026-01-01T00:00:00Z'), timeZone: 'UTC', interval: 'P1M' }, trial: null, firstStart: at('2026-01-01T00:00:00Z'), endAt: null, changes: [],
};
const account = (options: Partial<CommitmentAccount> = {}): CommitmentAccount => ({
  schedule, commitments: [{ amount: '50', per: 'billing_period' }], currency: 'USD', rounding: 'half_away_from_zero', charged: new Map(), settled: new Map(), ...options,
});
const line = (kind: InvoiceLine['kind'], amountMinor: bigint, ref = `${kind}:price_a`): InvoiceLine => ({
  ref, kind, priceId: 'price_a', priceKey: 'a', description: 'A', quantity: null, unroundedAmount: null, amountMinor, period: { start: at('2026-01-01T00:00:00Z'), end: at('2026-02-01T00:00:00Z') }, groupValues: {}, trace: [],
});
const closingJanuary = { kind: 'period', periodIndex: 2, closesIndex: 1 } as const;
const closed = new Map([[1, { last: 1, committedMinor: 5_000n, settledMinor: 1_500n }]]);

it.each([
  ['the first of it, which closes nothing', { kind: 'period', periodIndex: 1, closesIndex: null } as const, [line('advance', 3_100n)], {}, []],
  ['the one that closes it', closingJanuary, [line('usage', 400n), line('advance', 3_100n)], { charged: new Map([[1, 3_100n]]) }, ['minimum 1500']], // 50.00 - 31.00 - 4.00
  ['one that closes it with enough', closingJanuary, [line('usage', 1_900n)], { charged: new Map([[1, 3_100n]]) }, ['none']],
  ['a later one with more', { ...closingJanuary, periodIndex: 3, closesIndex: 2 }, [line('adjustment', 600n, 'adjustment:1:price_a:all'), line('usage', 5_000n)], { charged: new Map([[1, 3_500n]]), settled: closed }, ['adjustment -600', 'none']], // 50.00 - 41.00, and 15.00 was asked for.
  ['a one-off after the end', { kind: 'one_off', periodIndex: 3, closesIndex: null } as const, [line('adjustment', -100n, 'adjustment:1:price_a:all')], { charged: new Map([[1, 3_500n]]), settled: closed }, ['adjustment 100']],
  ['one that does not touch it', { ...closingJanuary, periodIndex: 3, closesIndex: 2 }, [line('usage', 5_000n)], { charged: new Map([[1, 3_500n]]), settled: closed }, ['none']],
])('settles by %s', (_, document, lines, before, expected) => {
  const { trueUps } = settleCommitments(account(before), document, lines);
  expect(trueUps.map((trueUp) => (trueUp.line === null ? 'none' : `${trueUp.line.kind} ${trueUp.line.amountMinor}`))).toEqual(expected);
});

it('works the committed amount out again where it is not given, and keeps it where it is', () => {
  const settled = (committedMinor: bigint | null) => ({ charged: new Map([[1, 3_500n]]), settled: new Map([[1, { last: 1, committedMinor, settledMinor: 0n }]]) });
  const amounts = [null, 4_000n].map((committed) => settleCommitments(account(settled(committed)), { kind: 'one_off', periodIndex: 3, closesIndex: null }, [line('adjustment', 100n, 'adjustment:1:price_a:all')]).trueUps[0]?.line?.amountMinor);
  expect(amounts).toEqual([1_400n, 400n]); // 50.00 - 36.00; 40.00 - 36.00.
});
