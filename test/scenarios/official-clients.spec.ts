import { OpenMeter } from '@openmeter/sdk';
import { Client as LagoClient } from 'lago-javascript-client';
import Stripe from 'stripe';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '#testing';
import { eventually, Product, testKey } from './product.js';

// Goal: the official clients of other metering systems, pointed here and changed in nothing else, are counted exactly.
// Method: one product; each client sends its events twice, and one of them with other data, which is a conflict and no usage.

interface Usage {
  readonly data: readonly { readonly subject?: string; readonly value: string }[];
  readonly fresh_as_of: string;
}

describeWith('clickhouse', 'official clients', () => {
  let product: Product;
  const from = Temporal.Now.instant().subtract({ hours: 2 });
  const happened = from.add({ minutes: 30 });
  beforeAll(async () => {
    product = await Product.start();
  }, 120_000);
  afterAll(async () => {
    await product?.dispose();
  }, 90_000);

  const meter = (key: string, value: string) =>
    product.expect(201, 'POST /v1/meters', { body: { key, name: key, event_type: key, aggregation: 'sum', value } });

  /** What the meter says of each subject once everything that was acknowledged until now is counted. */
  async function usageOf(key: string): Promise<Record<string, string>> {
    const acknowledged = Temporal.Now.instant();
    const query = `from=${from.toString({ smallestUnit: 'second' })}&to=${acknowledged.add({ hours: 1 }).toString({ smallestUnit: 'second' })}&group_by=subject`;
    let usage: Usage | undefined;
    await eventually('everything is counted', async () => {
      usage = await product.expect<Usage>(200, `GET /v1/meters/${key}/usage?${query}`);
      return Temporal.Instant.compare(Temporal.Instant.from(usage.fresh_as_of), acknowledged) >= 0;
    });
    return Object.fromEntries((usage?.data ?? []).map(({ subject = '', value }) => [subject, value]));
  }

  it('of OpenMeter', async () => {
    await meter('prompt', '$.tokens');
    const client = new OpenMeter({ baseUrl: product.url, apiKey: testKey });
    // eslint-disable-next-line no-restricted-globals -- The client takes times as dates only.
    const time = new Date(happened.epochMilliseconds);
    const event = (id: number, tokens: string | number) => ({ id: `om-${id}`, source: 'my-app', type: 'prompt', subject: id % 2 === 0 ? 'even' : 'odd', time, data: { tokens, model: 'a' } });
    const events = Array.from({ length: 100 }, (_, id) => event(id, id));
    for (const sent of [events, events.slice(0, 40), events.slice(40)]) await client.events.ingest(sent);
    await client.events.ingest(event(100, '0.125'));
    await client.events.ingest(event(7, 1_000)); // A conflict.
    // Even: 0 + 2 + … + 98 = 2450 and 0.125. Odd: 1 + 3 + … + 99 = 2500.
    expect(await usageOf('prompt')).toEqual({ even: '2450.125', odd: '2500' });
  });

  it('of Lago', async () => {
    await meter('api_calls', '$.units');
    const client = LagoClient(testKey, { baseUrl: `${product.url}/api/v1` });
    const seconds = Math.floor(happened.epochMilliseconds / 1_000);
    const event = (id: number, subscription: string, units: number) => ({ transaction_id: `tx-${id}`, external_subscription_id: subscription, code: 'api_calls', timestamp: `${seconds}.${id}`, properties: { units } });
    const events = Array.from({ length: 50 }, (_, id) => event(id, 'sub_1', id));
    for (let time = 0; time < 2; time += 1) {
      await client.events.createBatchEvents({ events });
      // Transaction ids are unique within a subscription only.
      await client.events.createEvent({ event: event(1, 'sub_2', 7) });
    }
    await client.events.createEvent({ event: event(49, 'sub_1', 1_000) }); // A conflict.
    // 0 + 1 + … + 49 = 1225.
    expect(await usageOf('api_calls')).toEqual({ sub_1: '1225', sub_2: '7' });
  });

  it('of Stripe, one by one and in a stream', async () => {
    await meter('api_requests', '$.value');
    const { hostname, port } = new URL(product.url);
    const client = (apiKey: string) => new Stripe(apiKey, { host: hostname, port, protocol: 'http', telemetry: false });
    const stripe = client(testKey);
    const seconds = Math.floor(happened.epochMilliseconds / 1_000);
    const event = (id: number, customer: string, value: string) => ({ event_name: 'api_requests', identifier: `s-${id}`, payload: { stripe_customer_id: customer, value } });
    const events = Array.from({ length: 100 }, (_, id) => ({ ...event(id, 'cus_1', `${id}.5`), timestamp: happened.toString() }));
    for (let time = 0; time < 2; time += 1) {
      await stripe.billing.meterEvents.create({ ...event(1_001, 'cus_2', '0.1'), timestamp: seconds });
      await stripe.v2.billing.meterEvents.create({ ...event(1_002, 'cus_2', '0.2'), timestamp: happened.toString() });
      // An event without an identifier, sent again as the client does it when no answer came.
      await stripe.billing.meterEvents.create({ event_name: 'api_requests', payload: { stripe_customer_id: 'cus_2', value: '40' } }, { idempotencyKey: 'retried' });
      const { authentication_token: token } = await stripe.v2.billing.meterEventSession.create();
      await client(token).v2.billing.meterEventStream.create({ events });
    }
    // 0 + 1 + … + 99 = 4950, and 100 × 0.5. 0.1 + 0.2 + 40.
    expect(await usageOf('api_requests')).toEqual({ cus_1: '5000', cus_2: '40.3' });
  });
});
