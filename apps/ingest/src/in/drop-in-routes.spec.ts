import { OpenMeter } from '@openmeter/sdk';
import { Client as LagoClient, getLagoError } from 'lago-javascript-client';
import { describe, expect, it } from 'vitest';
import { useIngest } from '../ingest-fixture.js';

const ingest = useIngest();

interface RawAnswer {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
}

async function post(path: string, body: string, headers: Record<string, string> = {}): Promise<RawAnswer> {
  const response = await fetch(ingest().origin + path, { method: 'POST', headers: { authorization: 'Bearer key-1', 'content-type': 'application/json', ...headers }, body });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

const eventOf = async (id: string) => (await ingest().events()).filter((event) => event.id === id);

describe('the client of OpenMeter', () => {
  // eslint-disable-next-line no-restricted-globals -- The client takes times as dates only.
  const date = (instant: string) => new Date(instant);
  const client = (apiKey = 'key-1') => new OpenMeter({ baseUrl: ingest().origin, apiKey });

  it('sends one event, and many', async () => {
    await client().events.ingest({ id: 'om-1', type: 'prompt', subject: 'acme', source: 'my-app', time: date('2026-11-01T09:00:00.250Z'), data: { tokens: 123_456, model: 'gpt-5' } });
    const time = date('2026-11-01T09:00:01Z'); // Else the client sends its own time.
    await client().events.ingest([{ type: 'prompt', subject: 'acme', id: 'om-2', time }, { type: 'prompt', subject: 'acme', id: 'om-3', time, data: { tokens: '12' } }]);
    expect(await eventOf('om-1')).toMatchObject([
      { source: 'my-app', type: 'prompt', subject: 'acme', time: '2026-11-01T09:00:00.250000Z', time_given: true, data: '{"model":"gpt-5","tokens":123456}' },
    ]);
    expect(await eventOf('om-3')).toMatchObject([{ source: '@openmeter/sdk', data: '{"tokens":"12"}' }]);
  });

  it('understands a refusal and a wrong key', async () => {
    const refused = await client().events.ingest({ id: 'om-4', type: 'prompt', subject: '' }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: 'HTTPError', status: 422, message: expect.stringContaining('subject must not be empty.') as string });
    const wrong = await client('wrong').events.ingest({ id: 'om-5', type: 'prompt', subject: 's' }).catch((error: unknown) => error);
    expect(wrong).toMatchObject({ name: 'HTTPError', status: 401, message: expect.stringContaining('This API key is unknown') as string });
  });
});

describe('POST /api/v3/openmeter/events', () => {
  const event = (id: string) => `{"specversion":"1.0","id":"${id}","source":"kong","type":"request","subject":"acme","time":"2026-11-01T09:00:00Z","data":{"route":"/v1"}}`;

  it.each([['application/cloudevents+json', event('v3-1')], ['application/cloudevents-batch+json', `[${event('v3-1')},${event('v3-2')}]`], ['application/json; charset=utf-8', event('v3-3')], ['application/json', '[]']])('takes %s', async (type, body) => {
    expect(await post('/api/v3/openmeter/events', body, { 'content-type': type })).toEqual({ status: 204, type: null, text: '' });
  });

  it('accepts what it can of a batch, and keeps the rest with its faults', async () => {
    const bad = '{"specversion":"1.0","id":"v3-bad","type":"request"}';
    expect(await post('/api/v3/openmeter/events', `[${event('v3-4')},${bad},${event('v3-5')}]`)).toMatchObject({ status: 204 });
    expect([...(await eventOf('v3-4')), ...(await eventOf('v3-5'))]).toHaveLength(2);
    expect((await ingest().refused()).at(-1)).toMatchObject({ code: 'missing_field', payload: bad, event_id: 'v3-bad' });
    expect(await post('/api/v3/openmeter/events', `[${bad}]`)).toMatchObject({ status: 422, type: 'application/problem+json' });
  });
});

describe('the client of Lago', () => {
  const client = (key = 'key-1') => LagoClient(key, { baseUrl: `${ingest().origin}/api/v1` });
  const event = { transaction_id: 'lago-1', external_subscription_id: 'sub_42', code: 'api_calls', timestamp: '1793527199.5', properties: { gb: 10 } };

  it('sends one event and gets it back, a repeat as well', async () => {
    const { data: first } = await client().events.createEvent({ event });
    expect(first).toEqual({
      event: {
        lago_id: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/) as string, transaction_id: 'lago-1', lago_customer_id: null, code: 'api_calls',
        timestamp: '2026-11-01T09:59:59.500000Z', precise_total_amount_cents: null, properties: { gb: 10 }, lago_subscription_id: null, external_subscription_id: 'sub_42',
        created_at: '2026-11-23T06:00:00.500000Z',
      },
    });
    const { data: again } = await client().events.createEvent({ event });
    expect(again).toEqual(first);
    const sent = { source: 'lago:sub_42', id: 'lago-1', type: 'api_calls', subject: 'sub_42', time: '2026-11-01T09:59:59.500000Z', time_given: true, data: '{"gb":10}' };
    expect(await eventOf('lago-1')).toMatchObject([sent, sent]); // The log has both copies; who counts finds the duplicate.
  });

  it('sends batches', async () => {
    const { data } = await client().events.createBatchEvents({ events: [{ ...event, transaction_id: 'lago-2' }, { ...event, transaction_id: 'lago-3', precise_total_amount_cents: '1234.56' }] });
    expect(data.events.map(({ transaction_id: id, precise_total_amount_cents: amount }) => [id, amount])).toEqual([['lago-2', null], ['lago-3', '1234.56']]);
    expect(await eventOf('lago-3')).toMatchObject([{ data: '{"gb":10,"precise_total_amount_cents":"1234.56"}' }]);
    expect((await client().events.createBatchEvents({ events: [] })).data).toEqual({ events: [] });
  });

  it('understands a refusal and a wrong key', async () => {
    const sent = { transaction_id: '', external_subscription_id: 'sub_42', timestamp: 'noon', properties: [] };
    const refused = await client().events.createEvent({ event: sent as never }).catch(getLagoError);
    expect(refused).toMatchObject({
      status: 422, error: 'Unprocessable Entity', code: 'validation_errors',
      error_details: { transaction_id: ['invalid_format'], code: ['value_is_mandatory'], timestamp: ['invalid_format'], properties: ['invalid_format'] },
      errors: [{ pointer: '/timestamp' }, { pointer: '/transaction_id' }, { pointer: '/code' }, { pointer: '/properties' }],
    });
    const wrong = await client('wrong').events.createEvent({ event }).catch(getLagoError);
    expect(wrong).toMatchObject({ status: 401, error: 'Unauthorized', code: 'unauthorized' });
  });

  it('hears which events of a batch are faulty, and the others are accepted', async () => {
    const events = [{ ...event, transaction_id: 'lago-4' }, { ...event, transaction_id: 'lago-5', code: undefined as never }, 7 as never];
    const refused = await client().events.createBatchEvents({ events }).catch(getLagoError);
    expect(refused).toMatchObject({ status: 422, accepted: 1, error_details: { 1: { code: ['value_is_mandatory'] }, 2: { event: ['invalid_format'] } }, rejected: [{ index: 1, id: 'lago-5' }, { index: 2 }] });
    expect(await eventOf('lago-4')).toHaveLength(1);
    expect((await ingest().refused()).slice(-2)).toMatchObject([{ event_source: 'lago:sub_42', event_id: 'lago-5' }, { payload: '7' }]);
  });
});

describe('POST /api/v1/events', () => {
  it.each(['{}', '[]', '[{"event":{}}]', '{"events":[]}', '{"id":"1","type":"t","subject":"s"}', '5', 'null', '"event"'])('names both clients where %s is posted', async (body) => {
    const answer = await post('/api/v1/events', body);
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([400, { code: 'unknown_format', error: 'Bad Request', detail: expect.stringMatching(/OpenMeter.*Lago/) as string }]);
  });

  it.each(['[]', '{}', '{"events":{}}', '{"event":{}}', 'null'])('has no batch in %s', async (body) => {
    expect(await post('/api/v1/events/batch', body)).toMatchObject({ status: 400 });
  });

  it('reads CloudEvents under any JSON type, and tells those of another version so', async () => {
    const body = '{"specversion":"1.0","id":"any","type":"t","subject":"s"}';
    expect(await post('/api/v1/events', body)).toMatchObject({ status: 204 });
    expect(await post('/api/v1/events', `[${body}]`)).toMatchObject({ status: 204 });
    expect(await post('/api/v1/events', '[]', { 'content-type': 'application/cloudevents-batch+json' })).toMatchObject({ status: 204 });
    const old = await post('/api/v1/events', body.replace('1.0', '0.3'));
    expect([old.status, JSON.parse(old.text)]).toMatchObject([422, { errors: [{ pointer: '/specversion' }] }]);
  });

  it('keeps the digits of both', async () => {
    const digits = '12345678901234567890.12345';
    await post('/api/v1/events', `{"specversion":"1.0","id":"digits-om","type":"t","subject":"s","data":{"n":${digits}}}`);
    const answer = await post('/api/v1/events', `{"event":{"transaction_id":"digits-lago","external_subscription_id":"s","code":"c","properties":{"n":${digits}}}}`);
    expect(answer.text).toContain(`"properties":{"n":${digits}}`);
    expect([...(await eventOf('digits-om')), ...(await eventOf('digits-lago'))].map(({ data }) => data)).toEqual([`{"n":${digits}}`, `{"n":${digits}}`]);
  });

  it.each([['text/plain', 415], ['', 415], ['application/json; charset=latin1', 415], ['application/cloudevents+json; charset=utf-8', 204]])('answers a body of type %s with %s', async (type, status) => {
    expect(await post('/api/v1/events', '{"specversion":"1.0","id":"typed","type":"t","subject":"s"}', { 'content-type': type })).toMatchObject({ status });
  });
});
