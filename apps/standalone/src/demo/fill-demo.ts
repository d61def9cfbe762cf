import type { DemoClient } from './demo-client.js';
import { demoCustomers, demoTraffic } from './demo-traffic.js';

const eventsPerPost = 500;

const plan = {
  key: 'growth',
  name: 'Growth',
  currency: 'USD',
  billing_period: 'P1M',
  prices: [
    { key: 'base', name: 'Base fee', type: 'recurring', model: { type: 'flat', amount: '49.00' } },
    {
      key: 'requests',
      name: 'Successful requests',
      type: 'usage',
      meter: 'requests',
      included_units: '100',
      model: { type: 'graduated', tiers: [{ up_to: '1000', unit_amount: '0.01' }, { up_to: null, unit_amount: '0.005' }] },
    },
    {
      key: 'traffic',
      name: 'Traffic per GB',
      type: 'usage',
      meter: 'traffic',
      unit_conversion: { divide_by: '1000000000', rounding: 'none' },
      model: { type: 'per_unit', unit_amount: '0.80' },
    },
  ],
};

/** The month that the demo shows: the last one that is over. */
export function demoMonth(now: Temporal.Instant): { start: Temporal.Instant; end: Temporal.Instant } {
  const thisMonth = now.toZonedDateTimeISO('UTC').with({ day: 1 }).startOfDay();
  return { start: thisMonth.subtract({ months: 1 }).toInstant(), end: thisMonth.toInstant() };
}

/** A catalog, three customers, a month of their traffic, and their invoices. */
export async function fillDemo(client: DemoClient, month: { start: Temporal.Instant; end: Temporal.Instant }): Promise<void> {
  await client.post('/v1/test-clock', { now: month.start.toString() });
  await client.post('/v1/meters', {
    key: 'requests', name: 'Successful requests', event_type: 'http.request', aggregation: 'count', filter: 'data.status < 500', group_by: { route: '$.route' },
  });
  await client.post('/v1/meters', { key: 'traffic', name: 'Traffic', event_type: 'http.request', aggregation: 'sum', value: '$.bytes', unit: 'byte' });
  await client.post('/v1/plans', plan);
  for (const { key, name, email } of demoCustomers) {
    await client.post('/v1/customers', { key, name, email, currency: 'USD', subjects: [key] });
    await client.post('/v1/subscriptions', { customer: key, plan: plan.key });
  }
  // The clock moves to the month's end first: an event from the future is refused.
  await client.post('/v1/test-clock/advance', { to: month.end.subtract({ seconds: 1 }).toString() });
  const events = demoTraffic(month);
  for (let at = 0; at < events.length; at += eventsPerPost) await client.post('/v1/events', { events: events.slice(at, at + eventsPerPost) });
  await client.post('/v1/test-clock/advance', { to: month.end.add({ hours: 2 }).toString() });
}
