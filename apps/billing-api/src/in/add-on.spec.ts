import { describe, expect, it } from 'vitest';
import { usePostgres } from '#testing';
import { startBillingApi } from '../fixtures/billing-api-app.js';

// Goal: what an add-on may be and where it may be added; every refusal with its pointer. Method: the app on a real database, on 16 March (31 days).

usePostgres();
const { owner } = await startBillingApi();
const pointersOf = (body: { errors: { pointer: string; code: string }[] }) => body.errors.map(({ pointer, code }) => `${pointer} ${code}`);
const detailsOf = (body: { errors: { detail: string }[] }) => body.errors.map(({ detail }) => detail).join(' ');
const flat = (key: string, amount: string, more: object = {}) => ({ key, name: key, type: 'recurring', model: { type: 'flat', amount }, ...more });
const perUnit = (key: string, unit_amount: string) => ({ key, name: key, type: 'recurring', model: { type: 'per_unit', unit_amount } });
const plan = (key: string, more: object = {}) => owner('POST', '/v1/plans', { key, name: key, currency: 'USD', billing_period: 'P1M', prices: [flat('base', '31')], ...more });
const addOn = (key: string, more: object = {}) => owner('POST', '/v1/add-ons', { key, name: key, currency: 'USD', prices: [flat(`${key}-fee`, '6.20')], ...more });

await owner('POST', '/v1/test-clock', { now: '2026-03-01T00:00:00Z' });
await owner('POST', '/v1/meters', { key: 'calls', name: 'Calls', event_type: 'call', aggregation: 'count' });
await plan('pro');
await plan('basic');
await plan('yearly', { billing_period: 'P1Y' });
await owner('POST', '/v1/customers', { key: 'acme', name: 'Acme', currency: 'USD' });
await addOn('support');
await addOn('priority', { requires: ['support'] });
await addOn('seats', { prices: [perUnit('seat', '3.10')], max_quantity: '10' });
await addOn('pro-only', { plans: ['pro'] });
const subscribe = async (input: object = {}): Promise<string> => (await owner('POST', '/v1/subscriptions', { customer: 'acme', plan: 'pro', ...input })).body.id as string;
const add = (id: string, body: object, query = '') => owner('POST', `/v1/subscriptions/${id}/add-ons${query}`, body);
const addOnsOf = async (id: string) => (await owner('GET', `/v1/subscriptions/${id}`)).body.add_ons.map((one: { add_on_key: string; end_at: string | null; ended_by: string | null }) => [one.add_on_key, one.end_at, one.ended_by]);

describe('an add-on', () => {
  it('has versions, of which other terms make a new one, and other metadata none', async () => {
    const { status, body } = await owner('POST', '/v1/add-ons', { key: 'storage', name: 'Storage', currency: 'USD', plans: ['pro'], requires: ['support'], prices: [flat('storage', '5.00')], metadata: { a: 'b' } });
    expect(status).toBe(201);
    expect(body).toMatchObject({ object: 'add_on', key: 'storage', version: 1, latest_version: 1, billing_period: 'P1M', plans: ['pro'], requires: ['support'], max_quantity: null, product: null, archived_at: null, metadata: { a: 'b' } });
    expect(body.id).toMatch(/^adn_/);
    expect((await owner('PATCH', '/v1/add-ons/storage', { metadata: {} })).body).toMatchObject({ version: 1, metadata: {} });
    expect((await owner('PATCH', '/v1/add-ons/storage', { prices: [flat('storage', '6')] })).body).toMatchObject({ version: 2, plans: ['pro'], requires: ['support'] });
    expect((await owner('PATCH', '/v1/add-ons/storage', { max_quantity: 3 })).body).toMatchObject({ version: 3, max_quantity: '3', prices: [{ model: { amount: '6' } }] });
    expect((await owner('GET', '/v1/add-ons/storage?version=1')).body).toMatchObject({ version: 1, latest_version: 3, prices: [{ model: { amount: '5' } }] });
    expect((await owner('GET', '/v1/add-ons/storage/versions?limit=2')).body).toMatchObject({ data: [{ version: 3 }, { version: 2 }], has_more: true });
    expect((await owner('GET', '/v1/add-ons/storage/versions?starting_after=2')).body).toMatchObject({ data: [{ version: 1 }], has_more: false });
    expect((await owner('PUT', '/v1/add-ons/storage', { name: 'Storage', currency: 'USD', prices: [flat('storage', '6')] })).body).toMatchObject({ version: 4, plans: null, requires: [] });
    expect((await owner('PUT', '/v1/add-ons/storage', { key: 'other', name: 'Storage', currency: 'USD', prices: [flat('storage', '6')] })).status).toBe(422);
    expect((await owner('POST', '/v1/add-ons/storage/archive')).body.archived_at).not.toBeNull();
    const keysOf = async (query: string) => (await owner('GET', `/v1/add-ons${query}`)).body.data.map(({ key }: { key: string }) => key);
    expect(await keysOf('')).toEqual(['pro-only', 'seats', 'priority', 'support']);
    expect(await keysOf('?include_archived=true&limit=1')).toEqual(['storage']);
    expect((await owner('GET', '/v1/add-ons/nothing')).status).toBe(404);
    expect((await addOn('support')).body).toMatchObject({ status: 409, code: 'key_taken' });
    expect((await owner('PUT', '/v1/add-ons/fresh', { name: 'Fresh', currency: 'USD', prices: [flat('fresh', '1')] })).status).toBe(201);
  });

  it.each<[string, object, string[]]>([
    ['without prices', { prices: [] }, ['/prices missing_field']],
    ['with a meter that is not there', { prices: [{ key: 'u', name: 'U', type: 'usage', meter: 'nothing', model: { type: 'per_unit', unit_amount: '1' } }] }, ['/prices/0/meter unknown_meter']],
    ['with what counts on over periods', { prices: [{ key: 'u', name: 'U', type: 'usage', meter: 'calls', tier_period: 'P1Y', included_units: '5', model: { type: 'per_unit', unit_amount: '1' } }] }, ['/prices/0/tier_period not_allowed']],
    ['with what rolls over', { prices: [{ key: 'u', name: 'U', type: 'usage', meter: 'calls', rollover: {}, included_units: '5', model: { type: 'per_unit', unit_amount: '1' } }] }, ['/prices/0/rollover not_allowed']],
    ['for a plan that is not there', { plans: ['nothing', 'pro', 'pro'] }, ['/plans/0 unknown_plan', '/plans/2 duplicate_plan']],
    ['for a plan with another billing period', { plans: ['yearly'] }, ['/plans/0 interval_mismatch']],
    ['for a plan in another currency', { currency: 'EUR', plans: ['pro'] }, ['/plans/0 currency_mismatch']],
    ['with a key of a price that its plan has', { plans: ['pro'], prices: [flat('base', '1')] }, ['/plans/0 duplicate_key']],
    ['that requires what is not there', { requires: ['nothing', 'support', 'support'] }, ['/requires/0 unknown_add_on', '/requires/2 duplicate_add_on']],
    ['that requires itself', { requires: ['bad'] }, ['/requires/0 requirement_cycle']],
    ['that requires what is billed otherwise', { billing_period: 'P1Y', requires: ['support'] }, ['/requires/0 interval_mismatch']],
    ['with the price keys of what it requires', { prices: [flat('support-fee', '1')], requires: ['support'] }, ['/requires/0 duplicate_key']],
    ['with no product', { product: 'nothing' }, ['/product unknown_product']],
    ['of at most none', { max_quantity: '0' }, ['/max_quantity number_out_of_range']],
  ])('%s is refused', async (_name, more, expected) => {
    const { status, body } = await addOn('bad', more);
    expect(status).toBe(422);
    expect(pointersOf(body)).toEqual(expected);
  });

  it('may not lead back to itself through others, and says how', async () => {
    const { status, body } = await owner('PATCH', '/v1/add-ons/support', { requires: ['priority'] });
    expect(status).toBe(422);
    expect(body.errors).toEqual([{ pointer: '/requires/0', code: 'requirement_cycle', detail: 'support requires priority requires support: nobody could have one before the other. Remove this, or what priority requires.' }]);
  });
});

describe('a subscription', () => {
  it('takes an add-on now, for its first period or the next, and tells what it owes', async () => {
    const trial = await subscribe({ trial_days: 10 });
    expect((await add(trial, { add_on: 'support' })).body).toMatchObject({ add_ons: [{ status: 'scheduled', start_at: '2026-03-11T00:00:00Z' }] });
    const id = await subscribe();
    const preview = await add(id, { add_on: 'seats', quantity: 2, when: 'period_end' }, '?preview=true');
    expect(preview.status).toBe(200);
    expect(preview.body).toMatchObject({ object: 'subscription_preview', subscription: { id, add_ons: [{ start_at: '2026-04-01T00:00:00Z', quantity: '2' }] }, invoice: { lines: [{ kind: 'advance', price_key: 'seat', quantity: '2', amount: '6.20', description: 'seats: seat' }] } });
    expect(await addOnsOf(id)).toEqual([]);
    const added = await add(id, { add_on: 'seats', quantity: 2, when: 'period_end' });
    expect([added.status, added.body.add_ons[0].status]).toEqual([201, 'scheduled']);
    expect((await owner('POST', `/v1/subscriptions/${id}/add-ons/seats`, { quantity: '4', when: 'now' })).body.add_ons).toMatchObject([{ start_at: '2026-04-01T00:00:00Z', quantity: '4', steps: [{ quantity: '4' }] }]);
    expect((await owner('POST', `/v1/subscriptions/${id}/add-ons/seats/remove`, { when: 'now' })).body.add_ons).toEqual([]);
    expect((await owner('POST', `/v1/subscriptions/${id}/add-ons/seats/remove`, { when: 'now' })).status).toBe(404);
  });

  it('keeps the version that it was given, and takes a removal back', async () => {
    const id = await subscribe();
    await add(id, { add_on: 'seats', quantity: '3' });
    await owner('PATCH', '/v1/add-ons/seats', { prices: [perUnit('seat', '4')] });
    expect((await add(await subscribe(), { add_on: 'seats' })).body.add_ons).toMatchObject([{ version: 2 }]);
    expect((await add(await subscribe(), { add_on: 'seats', version: 1 })).body.add_ons).toMatchObject([{ version: 1 }]);
    expect((await owner('POST', `/v1/subscriptions/${id}/add-ons/seats/remove`, { when: 'period_end' })).body.add_ons).toMatchObject([{ version: 1, quantity: '3', status: 'active', end_at: '2026-04-01T00:00:00Z', ended_by: 'removal' }]);
    expect((await owner('POST', `/v1/subscriptions/${id}/add-ons/seats`, { quantity: '3', when: 'now' })).body.add_ons).toMatchObject([{ quantity: '3', end_at: null, ended_by: null }]);
    // At the instant of its beginning there is one step, whatever it was before.
    expect((await owner('POST', `/v1/subscriptions/${id}/add-ons/seats`, { quantity: '5', when: 'now' })).body.add_ons).toMatchObject([{ steps: [{ quantity: '5' }] }]);
    expect((await owner('POST', `/v1/subscriptions/${id}/add-ons/seats`, { quantity: '6', when: 'period_end' })).body.add_ons).toMatchObject([{ quantity: '5', steps: [{ quantity: '5' }, { at: '2026-04-01T00:00:00Z', quantity: '6' }] }]);
    expect((await owner('GET', `/v1/subscriptions/${id}/add-ons`)).body).toMatchObject({ data: [{ object: 'subscription_add_on' }], has_more: false });
  });

  it('goes to another version from the next period on, and takes that back', async () => {
    await addOn('tiered', { prices: [perUnit('tier', '3.10'), { key: 'tier-setup', name: 'Setup', type: 'one_time', model: { type: 'flat', amount: '9' } }], max_quantity: '4' });
    await owner('PATCH', '/v1/add-ons/tiered', { prices: [perUnit('tier', '4'), { key: 'tier-setup', name: 'Setup', type: 'one_time', model: { type: 'flat', amount: '12' } }] });
    await owner('PATCH', '/v1/add-ons/tiered', { max_quantity: '1', requires: ['priority'] });
    const id = await subscribe();
    await add(id, { add_on: 'tiered', version: 1, quantity: '2' });
    const change = (body: object, query = '') => owner('POST', `/v1/subscriptions/${id}/add-ons/tiered${query}`, body);
    const shown = (body: { add_ons: { version: number; quantity: string; start_at: string; end_at: string | null; ended_by: string | null }[] }) => body.add_ons.map(({ version, quantity, start_at: from, end_at: to, ended_by: by }) => [version, quantity, from, to, by]);
    const [march, april] = ['2026-03-01T00:00:00Z', '2026-04-01T00:00:00Z'];
    const first = [1, '2', march, null, null];
    // What March owes since it was added: 9, and 2 * 3.10; of the next period 2 * 4. What is owed once is not owed again.
    const preview = await change({ version: 2, when: 'period_end' }, '?preview=true');
    const lines = preview.body.invoice.lines.map((line: { kind: string; amount: string; add_on: { key: string; version: number } }) => [line.kind, line.amount, line.add_on.key, line.add_on.version]);
    expect(lines).toEqual([['one_time', '9.00', 'tiered', 1], ['proration', '6.20', 'tiered', 1], ['advance', '8.00', 'tiered', 2]]);
    expect(shown((await owner('GET', `/v1/subscriptions/${id}`)).body)).toEqual([first]);
    const followed = [[1, '2', march, april, 'version'], [2, '2', april, null, null]];
    expect(shown((await change({ version: 2, when: 'period_end' })).body)).toEqual(followed);
    expect(shown((await change({ version: 2, quantity: 3, when: 'period_end' })).body)).toEqual([followed[0], [2, '3', april, null, null]]);
    expect(shown((await change({ version: 1, when: 'period_end' })).body)).toEqual([first]);
    await change({ version: 2, when: 'period_end' });
    expect(shown((await change({ quantity: '2', when: 'now' })).body)).toEqual([first]);
    await change({ version: 2, when: 'period_end' });
    expect(shown((await owner('POST', `/v1/subscriptions/${id}/add-ons/tiered/remove`, { when: 'period_end' })).body)).toEqual([[1, '2', march, april, 'removal']]);
    expect(shown((await change({ version: 2, when: 'period_end' })).body)).toEqual(followed);

    expect(pointersOf((await change({ version: 2, when: 'now' })).body)).toEqual(['/when not_allowed']);
    expect(pointersOf((await change({ version: 9, when: 'period_end' })).body)).toEqual(['/version unknown_version']);
    expect(pointersOf((await change({ version: 3, when: 'period_end' })).body)).toEqual(['/version missing_requirement', '/quantity number_out_of_range']);
    expect(pointersOf((await change({ when: 'period_end' })).body)).toEqual(['/quantity missing_field']);
    expect(pointersOf((await change({ version: 0, when: 'period_end' })).body)).toEqual(['/version too_small']);
    expect(shown((await owner('GET', `/v1/subscriptions/${id}`)).body)).toEqual(followed);

    const later = await subscribe({ trial_days: 10 });
    await add(later, { add_on: 'tiered', version: 1 });
    const inTrial = await owner('POST', `/v1/subscriptions/${later}/add-ons/tiered`, { version: 2, when: 'now' });
    expect(shown(inTrial.body)).toEqual([[2, '1', '2026-03-11T00:00:00Z', null, null]]); // It has not begun, so it begins with it.
  });

  it('keeps what requires an add-on whose version changes, and the version where the next one does not fit', async () => {
    await addOn('base-seats', { prices: [perUnit('base-seat', '1')] });
    await addOn('extra-seats', { prices: [perUnit('extra-seat', '1')], requires: ['base-seats'] });
    await owner('PATCH', '/v1/add-ons/base-seats', { plans: ['pro'] });
    const id = await subscribe();
    await add(id, { add_on: 'base-seats', version: 1 });
    await add(id, { add_on: 'extra-seats' });
    expect((await owner('POST', `/v1/subscriptions/${id}/add-ons/base-seats`, { version: 2, when: 'period_end' })).status).toBe(200);
    expect((await owner('POST', `/v1/subscriptions/${id}/add-ons/extra-seats`, { quantity: '2', when: 'now' })).status).toBe(200);
    await owner('POST', `/v1/subscriptions/${id}/change`, { plan: 'basic', when: 'period_end' });
    expect(await addOnsOf(id)).toEqual([['base-seats', null, null], ['extra-seats', null, null]]);
  });

  it('pays in its own currency, which each price of the add-on has to have', async () => {
    await owner('POST', '/v1/customers', { key: 'euro', name: 'Euro', currency: 'EUR' });
    await plan('both', { prices: [flat('base', '31', { currencies: { EUR: { type: 'flat', amount: '29' } } })] });
    await addOn('dollars', { prices: [flat('one', '6.20'), flat('two', '6.20', { currencies: { EUR: { type: 'flat', amount: '6' } } })] });
    await addOn('euros', { prices: [flat('three', '6.20', { currencies: { EUR: { type: 'flat', amount: '5.80' } } })] });
    const id = await subscribe({ customer: 'euro', plan: 'both' });
    const refusal = await add(id, { add_on: 'dollars' });
    expect([refusal.status, pointersOf(refusal.body)]).toEqual([422, ['/add_on currency_mismatch']]);
    expect(detailsOf(refusal.body)).toContain('The prices one have no model in EUR: add it to their currencies.');
    const preview = await add(id, { add_on: 'euros', when: 'period_end' }, '?preview=true');
    expect(preview.body.invoice).toMatchObject({ currency: 'EUR', total: '5.80', lines: [{ amount: '5.80', add_on: { key: 'euros', version: 1 } }] });
  });

  it('refuses what does not fit, each fault with its pointer', async () => {
    const yearly = await subscribe({ plan: 'yearly' });
    const refusal = await add(yearly, { add_on: 'pro-only', quantity: '2' });
    expect(refusal.status).toBe(422);
    expect(pointersOf(refusal.body)).toEqual(['/add_on plan_mismatch', '/add_on interval_mismatch', '/quantity not_allowed']);
    expect(detailsOf(refusal.body)).toContain('It may be added to the plans pro, and this is yearly: name yearly in its plans, or choose another add-on.');
    const id = await subscribe();
    expect(pointersOf((await add(id, { add_on: 'nothing' })).body)).toEqual(['/add_on unknown_add_on']);
    expect(pointersOf((await add(id, { add_on: 'support', version: 9 })).body)).toEqual(['/version unknown_version']);
    expect(pointersOf((await add(id, { add_on: 'storage' })).body)).toEqual(['/add_on archived_add_on']);
    expect(pointersOf((await add(id, { add_on: 'seats', quantity: '11' })).body)).toEqual(['/quantity number_out_of_range']);
    expect(pointersOf((await add(id, { add_on: 'seats', quantity: '0' })).body)).toEqual(['/quantity number_out_of_range']);
    expect(pointersOf((await add(id, { add_on: 'seats', quantity: 'x' })).body)).toEqual(['/quantity invalid_decimal']);
    expect(pointersOf((await add(id, { add_on: 'priority' })).body)).toEqual(['/add_on missing_requirement']);
    expect((await add('sub_nothing', { add_on: 'seats' })).status).toBe(404);
    await addOn('rival', { prices: [flat('support-fee', '1')] });
    await addOn('basal', { prices: [flat('base', '1')] });
    await add(id, { add_on: 'support' });
    expect(pointersOf((await add(id, { add_on: 'rival' })).body)).toEqual(['/add_on duplicate_key']);
    expect(pointersOf((await add(id, { add_on: 'basal' })).body)).toEqual(['/add_on duplicate_key']);
    await owner('POST', `/v1/subscriptions/${id}/change`, { plan: 'basic', when: 'period_end' });
    const later = await add(id, { add_on: 'pro-only' });
    expect(detailsOf(later.body)).toContain('From 2026-04-01T00:00:00Z on the subscription is on basic.');
    await owner('POST', `/v1/subscriptions/${id}/cancel`, { when: 'period_end' });
    expect(pointersOf((await add(id, { add_on: 'seats', when: 'period_end' })).body)).toEqual(['/when subscription_ends']);
    await owner('POST', `/v1/subscriptions/${id}/cancel`, { when: 'now' });
    expect((await add(id, { add_on: 'seats' })).body.code).toBe('already_canceled');
  });

  it('keeps what others require', async () => {
    const id = await subscribe();
    await add(id, { add_on: 'support' });
    await add(id, { add_on: 'priority' });
    expect((await owner('POST', `/v1/subscriptions/${id}/add-ons/support/remove`, { when: 'now' })).body).toMatchObject({ status: 409, code: 'required_by', required_by: ['priority'] });
    await owner('POST', `/v1/subscriptions/${id}/add-ons/priority/remove`, { when: 'period_end' });
    expect((await owner('POST', `/v1/subscriptions/${id}/add-ons/support/remove`, { when: 'period_end' })).status).toBe(200);
    expect(pointersOf((await owner('POST', `/v1/subscriptions/${id}/add-ons/priority`, { quantity: '1', when: 'now' })).body)).toEqual(['/add_on missing_requirement']);
  });

  it('loses with a change of the plan what does not fit it, and what requires that, and has it again where the change is taken back', async () => {
    await addOn('beside', { requires: ['pro-only'] });
    const id = await subscribe();
    for (const key of ['support', 'pro-only', 'beside']) await add(id, { add_on: key });
    const toBasic = { plan: 'basic', when: 'period_end' };
    const preview = await owner('POST', `/v1/subscriptions/${id}/change?preview=true`, toBasic);
    const named = [['support', null, null], ['pro-only', '2026-04-01T00:00:00Z', 'change'], ['beside', '2026-04-01T00:00:00Z', 'change']];
    expect(preview.body.subscription.add_ons.map((one: { add_on_key: string; end_at: string; ended_by: string }) => [one.add_on_key, one.end_at, one.ended_by])).toEqual(named);
    expect(await addOnsOf(id)).toEqual(named.map(([key]) => [key, null, null]));
    await owner('POST', `/v1/subscriptions/${id}/change`, toBasic);
    expect(await addOnsOf(id)).toEqual(named);
    await owner('POST', `/v1/subscriptions/${id}/change`, { plan: 'pro', when: 'period_end' });
    expect(await addOnsOf(id)).toEqual(named.map(([key]) => [key, null, null]));
    await owner('POST', `/v1/subscriptions/${id}/change`, { plan: 'yearly', when: 'now' });
    expect(await addOnsOf(id)).toEqual([]);
  });

  it('is left out of a migration that would end an add-on of it', async () => {
    const id = await subscribe();
    await add(id, { add_on: 'support' });
    await owner('PATCH', '/v1/plans/pro', { prices: [flat('base', '31'), flat('support-fee', '1')] });
    const { body } = await owner('POST', '/v1/plans/pro/migrate', { to_version: 2, when: 'period_end' });
    expect(body.skipped.find((one: { subscription: string }) => one.subscription === id)?.detail).toBe('Its add-on support does not fit: pro has prices with the keys support-fee already: give the add-on\u2019s others.'.replace('\u2019', '\''));
  });

  it('keeps a meter that an add-on counts by from being archived', async () => {
    await owner('POST', '/v1/meters', { key: 'exports', name: 'Exports', event_type: 'export', aggregation: 'count' });
    await addOn('exports', { prices: [{ key: 'exports', name: 'Exports', type: 'usage', meter: 'exports', model: { type: 'per_unit', unit_amount: '1' } }] });
    expect((await owner('POST', '/v1/meters/exports/archive')).status).toBe(409);
    await add(await subscribe({ plan: 'basic' }), { add_on: 'exports' });
    await owner('POST', '/v1/add-ons/exports/archive');
    expect((await owner('POST', '/v1/meters/exports/archive')).status).toBe(409);
  });
});
