import { afterAll, beforeAll, expect, it } from 'vitest';
import { chargeEvents, noEventsYet, toPlain } from '#domain';
import { describeWith } from '#testing';
import { AggregatorFixture } from './aggregator-fixture.js';

// Goal: the very events of slices, each once, in the order that prices rely on. Method: real stores; a few events written by hand
// across two subjects of one customer, with a duplicate, a foreign event, one out of the filter, and one that brings no number.

describeWith('clickhouse', 'events of slices', () => {
  let fixture: AggregatorFixture;
  let meterId: string;
  const at = (text: string): Temporal.Instant => Temporal.Instant.from(text);

  beforeAll(async () => {
    fixture = await AggregatorFixture.start();
    await fixture.addOrganizations(['org_a', 'org_b']);
    meterId = await fixture.addMeter({ key: 'payments', eventType: 'payment', aggregation: 'sum', valuePath: '$.value', filter: 'data.ok == true' });
    await fixture.addCustomer({ key: 'acme', subjects: [{ subject: 'shop-1' }, { subject: 'shop-2', to: '2027-01-20T00:00:00Z' }] });
    await fixture.addCustomer({ key: 'other', subjects: [{ subject: 'shop-2', from: '2027-01-20T00:00:00Z' }] });
    const payment = (id: string, time: string, value: string, more: { subject?: string; source?: string; ok?: boolean; cost?: string; organization?: string } = {}) => ({
      id, time, type: 'payment', subject: more.subject ?? 'shop-1', source: more.source ?? 'b', ...(more.organization === undefined ? {} : { organization: more.organization }),
      data: `{${more.cost === undefined ? '' : `"cost":${more.cost},`}"ok":${String(more.ok ?? true)},"value":${value}}`,
    });
    await fixture.deliver([
      payment('late', '2027-01-31T23:59:59.999999Z', '5'),
      payment('2', '2027-01-05T10:00:00Z', '10.5', { cost: '0.25' }),
      payment('1', '2027-01-05T10:00:00Z', '20', { cost: '"1.5"' }),
      payment('1', '2027-01-05T10:00:00Z', '30', { source: 'a', subject: 'shop-2', cost: '{}' }),
      payment('1', '2027-01-05T10:00:00Z', '20', { cost: '"1.5"' }), // Sent twice.
      payment('3', '2027-01-05T09:00:00Z', '-40', { cost: '-0.75' }),
      payment('4', '2027-01-05T11:00:00Z', '99', { ok: false, cost: '99' }),
      payment('5', '2027-01-05T11:00:00Z', '"much"', { cost: '99' }),
      payment('6', '2027-01-20T00:00:00Z', '1000', { subject: 'shop-2', cost: '7' }), // The shop has moved to the other customer.
      payment('7', '2027-01-25T00:00:00Z', '99999999999999999999.999999999999999999', { cost: '99999999999999999999.999999999999999999' }),
      payment('8', '2026-12-31T23:59:59.999999Z', '77'),
      payment('9', '2027-02-01T00:00:00Z', '78'),
      payment('10', '2027-01-05T10:00:00Z', '79', { organization: 'org_b' }),
    ]);
  }, 120_000);
  afterAll(async () => fixture?.close());

  const ends = ['2027-01-06T00:00:00Z', '2027-01-26T00:00:00Z', '2027-02-01T00:00:00Z'].map(at);
  const slice = (ref: string, customerId: string) => ({ ref, customerId, from: at('2027-01-01T00:00:00Z'), to: at('2027-02-01T00:00:00Z'), ends });
  const slices = [slice('acme', 'cus_org_a_acme'), slice('other', 'cus_org_a_other'), slice('nobody', 'cus_org_a_nobody')];

  async function eventsOf(asked: typeof slices) {
    const { batches, freshAsOf } = await fixture.sliceEvents.readEvents({ organizationId: 'org_a', meterId, slices: asked });
    const events = [];
    for await (const batch of batches) events.push(...batch);
    expect(freshAsOf).toBeInstanceOf(Temporal.Instant);
    return events.map(({ ref, end, value }) => [ref, end.toString(), toPlain(value)]);
  }

  it('come slice by slice in the order of time, source and id', async () => {
    expect(await eventsOf(slices)).toEqual([
      ['acme', '2027-01-06T00:00:00Z', '-40'], // 09:00
      ['acme', '2027-01-06T00:00:00Z', '30'], // 10:00, source a, the other shop
      ['acme', '2027-01-06T00:00:00Z', '20'], // 10:00, source b, id 1, once
      ['acme', '2027-01-06T00:00:00Z', '10.5'], // 10:00, source b, id 2
      ['acme', '2027-01-26T00:00:00Z', '99999999999999999999.999999999999999999'],
      ['acme', '2027-02-01T00:00:00Z', '5'],
      ['other', '2027-01-26T00:00:00Z', '1000'],
    ]);
  });

  it('are none of who has no subject', async () => {
    expect(await eventsOf(slices.slice(2))).toEqual([]);
  });

  it('are charged in that order', async () => {
    const { batches } = await fixture.sliceEvents.readEvents({ organizationId: 'org_a', meterId, slices: slices.slice(0, 1) });
    let charged = noEventsYet;
    for await (const batch of batches) charged = chargeEvents(charged, batch.filter(({ end }) => end === ends[0]).map(({ value }) => value), { type: 'percentage', rate: '10', free_amount: '40' });
    // 30 is free, of 20 there are 10 left: 10 and 10.5 are charged.
    expect(toPlain(charged.amount)).toBe('2.05');
  });

  it('are left out where they are exempt, of quantities too', async () => {
    const exempt = 'data.value > 25 || data.value < 0';
    const { batches } = await fixture.sliceEvents.readEvents({ organizationId: 'org_a', meterId, exempt, slices: slices.slice(0, 1) });
    const values = [];
    for await (const batch of batches) values.push(...batch.map(({ value }) => toPlain(value)));
    expect(values).toEqual(['20', '10.5', '5']);
    const { rows } = await fixture.usage.readSlices({ now: fixture.now, organizationId: 'org_a', meterId, groupBy: [], exempt, slices: slices.slice(0, 1) });
    expect(rows.map(({ value }) => value)).toEqual(['30.5', '30.5', '35.5']);
  });

  it('make a quantity for each stretch between two ends', async () => {
    const { rows } = await fixture.usage.readSlices({ now: fixture.now, organizationId: 'org_a', meterId, groupBy: [], isByEnd: true, slices: slices.slice(0, 2) });
    expect(rows.map(({ ref, end, value }) => [ref, end.toString(), value])).toEqual([
      ['acme', '2027-01-06T00:00:00Z', '20.5'], // −40 + 30 + 20 + 10.5
      ['acme', '2027-01-26T00:00:00Z', '99999999999999999999.999999999999999999'],
      ['acme', '2027-02-01T00:00:00Z', '5'],
      ['other', '2027-01-26T00:00:00Z', '1000'],
    ]);
  });

  it('say what they cost, until each end at which there are some', async () => {
    const { rows } = await fixture.sliceEvents.readStated({ organizationId: 'org_a', meterId, slices, path: '$.cost' });
    // Until the 6th: 0.25 + 1.5 − 0.75 = 1, and an object is no amount. Then the large one, then one without an amount.
    expect(rows.map(({ ref, end, sum, missing }) => [ref, end.toString(), toPlain(sum), missing])).toEqual([
      ['acme', '2027-01-06T00:00:00Z', '1', 1],
      ['acme', '2027-01-26T00:00:00Z', '100000000000000000000.999999999999999999', 1],
      ['acme', '2027-02-01T00:00:00Z', '100000000000000000000.999999999999999999', 2],
      ['other', '2027-01-26T00:00:00Z', '7', 0],
      ['other', '2027-02-01T00:00:00Z', '7', 0],
    ]);
  });
});
