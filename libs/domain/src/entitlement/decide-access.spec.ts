import { describe, expect, it } from 'vitest';
import type { PlanEntitlement } from '../catalog/entitlement.js';
import { decimal, toPlain } from '../money/decimal.js';
import { allowanceOf, decideAccess, mostGenerous, type MeasuredGrant } from './decide-access.js';

// Goal: who is let through, and by which grant. Method: grants by hand, one question a row.
const soon = Temporal.Instant.from('2027-02-01T00:00:00Z');
const later = Temporal.Instant.from('2027-03-01T00:00:00Z');

function metered(limit: string | null, used: string, more: Partial<PlanEntitlement> & { id?: string; resetsAt?: Temporal.Instant | null } = {}): MeasuredGrant {
  const { id = 'sub_1', resetsAt = soon, ...entitlement } = more;
  return { subscriptionId: id, entitlement: { feature: 'calls', type: 'metered', limit, reset: 'billing_period', enforcement: 'hard', ...entitlement }, used: decimal(used), resetsAt };
}
const granted = (id: string, entitlement: Partial<PlanEntitlement> = {}): MeasuredGrant => ({ subscriptionId: id, entitlement: { feature: 'calls', type: 'boolean', ...entitlement }, used: null, resetsAt: null });
const asked = (grants: readonly MeasuredGrant[], quantity = '1') => decideAccess(grants, { quantity: decimal(quantity), hasOnlyInactive: false });

describe('a limit', () => {
  it.each<[limit: string | null, used: string, quantity: string, allowed: boolean, remaining: string | null]>([
    ['10', '9', '1', true, '1'], // Exactly on the limit.
    ['10', '10', '1', false, '0'],
    ['10', '10', '0', true, '0'],
    ['10', '10.5', '0', false, '0'],
    ['10', '9', '1.000000000000000001', false, '1'],
    ['0.3', '0.1', '0.2', true, '0.2'], // No float: 0.1 + 0.2 is 0.3.
    ['0', '0', '1', false, '0'],
    ['10', '-5', '15', true, '15'], // Net usage below 0 leaves more.
    [null, '1000000', '1', true, null],
  ])('of %s with %s used lets %s through: %s', (limit, used, quantity, allowed, remaining) => {
    const grant = metered(limit, used);
    const access = asked([grant], quantity);
    expect([access.isAllowed, access.code, access.grant]).toEqual([allowed, allowed ? null : 'quota_exceeded', grant]);
    const left = allowanceOf(grant).remaining;
    expect(left === null ? null : toPlain(left)).toBe(remaining);
  });

  it('that is soft lets everything through, and says what is left', () => {
    const soft = metered('10', '12', { enforcement: 'soft' });
    expect(asked([soft], '5')).toEqual({ isAllowed: true, code: null, grant: soft });
    expect(toPlain(allowanceOf(soft).remaining ?? decimal('1'))).toBe('0');
  });
});

describe('without a grant', () => {
  it('nothing is allowed, and the code says whether anything lasts', () => {
    expect(decideAccess([], { quantity: decimal('1'), hasOnlyInactive: false })).toEqual({ isAllowed: false, code: 'no_entitlement', grant: null });
    expect(decideAccess([], { quantity: decimal('1'), hasOnlyInactive: true })).toEqual({ isAllowed: false, code: 'subscription_inactive', grant: null });
  });
});

describe('of several grants', () => {
  it.each<[string, MeasuredGrant, MeasuredGrant]>([
    ['no limit comes before a limit', metered(null, '5'), metered('100', '0', { id: 'sub_2' })],
    ['what is simply on comes before a limit', granted('sub_1'), metered('100', '0', { id: 'sub_2' })],
    ['who allows comes before who refuses', metered('10', '5'), metered('4', '4', { id: 'sub_2' })],
    ['more left comes before less', metered('10', '5'), metered('8', '4', { id: 'sub_2' })],
    ['soft comes before hard', metered('10', '20', { enforcement: 'soft' }), metered('100', '0', { id: 'sub_2' })],
    ['of what is used up the first to reset answers', metered('10', '10'), metered('10', '10', { id: 'sub_2', resetsAt: later })],
    ['of what is used up what resets comes before what never does', metered('10', '10'), metered('10', '10', { id: 'sub_2', resetsAt: null })],
    ['a greater value comes before a smaller', granted('sub_1', { type: 'static', value: '10' }), granted('sub_2', { type: 'static', value: '9' })],
    ['true comes before false', granted('sub_1', { type: 'static', value: true }), granted('sub_2', { type: 'static', value: false })],
    ['of texts the newer subscription’s answers', granted('sub_2', { type: 'static', value: 'eu' }), granted('sub_1', { type: 'static', value: 'us' })],
  ])('%s', (_name, first, second) => {
    for (const grants of [[first, second], [second, first]]) {
      expect(asked(grants).grant).toBe(first);
      expect(mostGenerous(grants)).toEqual([first]);
    }
  });

  it('limits are never added', () => {
    expect(asked([metered('10', '10'), metered('5', '10', { id: 'sub_2' })]).code).toBe('quota_exceeded');
  });

  it('one stands for each feature, in the order of their keys', () => {
    const [calls, maps, sso] = [metered('10', '5'), metered('1', '0', { feature: 'maps' }), granted('sub_1', { feature: 'sso' })];
    expect(mostGenerous([sso, metered('3', '2', { id: 'sub_2' }), maps, calls])).toEqual([calls, maps, sso]);
  });
});
