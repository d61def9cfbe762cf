import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import type { Clock } from '#platform';
import { MeterEventSessions } from '../drop-ins/meter-event-sessions.js';
import { useIngest, serverSecret } from '../ingest-fixture.js';

const ingest = useIngest();

function client(apiKey = 'key-1'): Stripe {
  const { hostname, port } = new URL(ingest().origin);
  return new Stripe(apiKey, { host: hostname, port, protocol: 'http', maxNetworkRetries: 0, telemetry: false });
}

const caught = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'It was accepted.', (error: unknown) => error);
const eventsOf = async (id: string) => (await ingest().events()).filter((event) => event.id === id);
const payload = { stripe_customer_id: 'cus_42', value: '25' };

describe('the client of Stripe, v1', () => {
  it('sends a meter event and gets it back', async () => {
    const event = await client().billing.meterEvents.create({ event_name: 'api_requests', payload, identifier: 'v1-1', timestamp: 1_793_527_200 });
    expect(event).toEqual({
      object: 'billing.meter_event', created: 1_795_413_600, event_name: 'api_requests', identifier: 'v1-1', livemode: false, payload, timestamp: 1_793_527_200, // date -u -d 2026-11-23T06:00:00Z +%s
    });
    expect(event.lastResponse.requestId).toMatch(/./);
    expect(await eventsOf('v1-1')).toMatchObject([
      { source: 'stripe', type: 'api_requests', subject: 'cus_42', time: '2026-11-01T10:00:00.000000Z', time_given: true, data: '{"stripe_customer_id":"cus_42","value":"25"}' },
    ]);
  });

  it('makes an identifier, the same for the same Idempotency-Key', async () => {
    const send = async (idempotencyKey?: string) => (await client().billing.meterEvents.create({ event_name: 'e', payload }, idempotencyKey === undefined ? {} : { idempotencyKey })).identifier;
    const [first, again, other, none] = [await send('once'), await send('once'), await send('another'), await send()];
    expect(again).toBe(first);
    expect(new Set([first, other, none]).size).toBe(3);
  });

  it('understands refusals', async () => {
    const missing = await caught(client().billing.meterEvents.create({ event_name: '', payload: { value: '1' }, timestamp: 4_000_000_000 }));
    expect(missing).toBeInstanceOf(Stripe.errors.StripeInvalidRequestError);
    expect(missing).toMatchObject({
      statusCode: 400, rawType: 'invalid_request_error', code: 'invalid_string', param: 'event_name', requestId: expect.any(String) as string,
      raw: { errors: [{ pointer: '/event_name' }, { pointer: '/payload/stripe_customer_id', code: 'missing_field' }, { pointer: '/timestamp', code: 'invalid_time' }] },
    });
    expect(await caught(client().billing.meterEvents.create({ event_name: 'e', payload: { value: '1' } }))).toMatchObject({ code: 'parameter_missing', param: 'payload[stripe_customer_id]' });
    expect(await caught(client('wrong').billing.meterEvents.create({ event_name: 'e', payload }))).toBeInstanceOf(Stripe.errors.StripeAuthenticationError);
    expect(await caught(client('key-reader').billing.meterEvents.create({ event_name: 'e', payload }))).toBeInstanceOf(Stripe.errors.StripePermissionError);
  });
});

describe('the client of Stripe, v2', () => {
  it('sends a meter event and gets it back', async () => {
    const event = await client().v2.billing.meterEvents.create({ event_name: 'api_requests', payload, identifier: 'v2-1', timestamp: '2026-11-01T09:00:00.25Z' });
    expect(event).toEqual({
      object: 'v2.billing.meter_event', created: '2026-11-23T06:00:00.500000Z', event_name: 'api_requests', identifier: 'v2-1', livemode: false, payload, timestamp: '2026-11-01T09:00:00.250000Z',
    });
    expect(await eventsOf('v2-1')).toMatchObject([{ source: 'stripe', subject: 'cus_42', time: '2026-11-01T09:00:00.250000Z' }]);
  });

  it('understands refusals', async () => {
    const refused = await caught(client().v2.billing.meterEvents.create({ event_name: 'e', payload: { value: '1' }, timestamp: 'noon' }));
    expect(refused).toBeInstanceOf(Stripe.errors.StripeInvalidRequestError);
    expect(refused).toMatchObject({ statusCode: 400, code: 'invalid_fields', param: 'payload[stripe_customer_id]', raw: { errors: [{}, { pointer: '/timestamp' }] } });
  });
});

describe('the stream of the client of Stripe', () => {
  const session = async (key = 'key-1') => client(key).v2.billing.meterEventSession.create();
  const event = (identifier: string, over: object = {}) => ({ event_name: 'api_requests', payload, identifier, timestamp: '2026-11-01T09:00:00Z', ...over });

  it('takes events with the token of a session', async () => {
    const made = await session();
    expect(made).toMatchObject({ object: 'v2.billing.meter_event_session', created: '2026-11-23T06:00:00.5Z', expires_at: '2026-11-23T06:15:00.5Z', livemode: false });
    await client(made.authentication_token).v2.billing.meterEventStream.create({ events: [event('stream-1'), event('stream-2')] });
    expect(await eventsOf('stream-2')).toMatchObject([{ source: 'stripe', type: 'api_requests', subject: 'cus_42' }]);
  });

  it('keeps what is refused beside others, and says so where nothing is acceptable', async () => {
    const stream = client((await session()).authentication_token).v2.billing.meterEventStream;
    await stream.create({ events: [event('stream-3'), event('', { payload: {} }), event('stream-4')] });
    expect([...(await eventsOf('stream-3')), ...(await eventsOf('stream-4'))]).toHaveLength(2);
    expect((await ingest().refused()).at(-1)).toMatchObject({ event_source: 'stripe', errors: [{ pointer: '/identifier' }, { pointer: '/payload/stripe_customer_id' }] });
    const refused = await caught(stream.create({ events: [event(''), event('x', { payload: {} })] }));
    expect(refused).toMatchObject({ statusCode: 400, param: 'events[0][identifier]', raw: { errors: [{ pointer: '/events/0/identifier' }, { pointer: '/events/1/payload/stripe_customer_id' }] } });
  });

  it('is over after a quarter of an hour, and open to no key, no other token and no key without the scope', async () => {
    const send = (token: string) => caught(client(token).v2.billing.meterEventStream.create({ events: [event('stream-5')] }));
    const past = new MeterEventSessions(serverSecret, { now: () => Temporal.Instant.from('2026-11-23T05:45:00.5Z') } as Clock);
    const expired = await send(past.start('key-1').token);
    expect(expired).toBeInstanceOf(Stripe.errors.TemporarySessionExpiredError);
    expect(expired).toMatchObject({ statusCode: 401, code: 'billing_meter_event_session_expired' });
    const { authentication_token: token } = await session();
    for (const other of ['key-1', `${token}x`, past.start('revoked').token.slice(0, -8)]) expect(await send(other)).toBeInstanceOf(Stripe.errors.StripeAuthenticationError);
    const sealed = (key: string) => new MeterEventSessions(serverSecret, { now: () => Temporal.Instant.from('2026-11-23T06:00:00Z') } as Clock).start(key).token;
    expect(await send(sealed('revoked'))).toBeInstanceOf(Stripe.errors.StripeAuthenticationError);
    expect(await send(sealed('key-reader'))).toBeInstanceOf(Stripe.errors.StripePermissionError);
    expect(await eventsOf('stream-5')).toEqual([]);
    expect(await caught(client(token).billing.meterEvents.create({ event_name: 'e', payload }))).toBeInstanceOf(Stripe.errors.StripeAuthenticationError);
  });
});
