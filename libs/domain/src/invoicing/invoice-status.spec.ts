import { describe, expect, it } from 'vitest';
import { actionsAllowed, invoiceActions, invoiceStatuses, invoiceTransitions, statusAfter, type InvoiceStatus } from './invoice-status.js';

describe('the lifecycle of an invoice', () => {
  // Goal: no status that nothing leads to, and no way back. Method: walk every transition from draft.
  it('reaches every status from draft, and draft from none', () => {
    const seen = new Set<InvoiceStatus>(['draft']);
    const open: InvoiceStatus[] = ['draft'];
    for (let status = open.pop(); status !== undefined; status = open.pop()) {
      for (const next of Object.values(invoiceTransitions[status])) {
        expect(next).not.toBe('draft');
        if (!seen.has(next)) open.push(next);
        seen.add(next);
      }
    }
    expect([...seen].sort()).toEqual([...invoiceStatuses].sort());
  });

  it.each([
    ['draft', ['finalize']],
    ['open', ['pay', 'record_payment', 'void', 'mark_uncollectible']],
    ['uncollectible', ['pay', 'record_payment', 'void']],
    ['paid', []],
    ['void', []],
  ] as const)('allows in %s exactly %j', (status, actions) => {
    expect(actionsAllowed(status)).toEqual(actions);
  });

  it('ends for good in paid and void', () => {
    for (const action of invoiceActions) {
      expect(statusAfter('paid', action)).toBeNull();
      expect(statusAfter('void', action)).toBeNull();
    }
  });
});
