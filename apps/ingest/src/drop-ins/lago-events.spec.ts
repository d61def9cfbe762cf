import { describe, expect, it } from 'vitest';
import type { ReceivedBatch } from '../received-batch.js';
import { batchOf, parseJson } from '../formats/json-events.js';
import { lagoEvents } from './lago-events.js';

const lago = (text: string): ReceivedBatch => lagoEvents(batchOf({ body: parseJson(text), text, wrapper: 'events' }));
const whole = '"transaction_id":"tx_1","external_subscription_id":"sub_1","code":"api_calls"';

describe('lagoEvents', () => {
  it.each<[string, object]>([
    ['', {}],
    [',"timestamp":1793527200', { time: '2026-11-01T10:00:00.000000Z' }], // date -u -d 2026-11-01T10:00:00Z +%s
    [',"timestamp":"1793527200.123"', { time: '2026-11-01T10:00:00.123000Z' }],
    [',"timestamp":1793527200.123', { time: '2026-11-01T10:00:00.123000Z' }],
    [',"timestamp":1793527200.1234567', { time: '2026-11-01T10:00:00.123456Z' }],
    [',"timestamp":"2026-11-01T12:00:00+02:00"', { time: '2026-11-01T12:00:00+02:00' }],
    [',"timestamp":null', {}],
    [',"timestamp":""', {}],
    [',"properties":{"gb":1.50}', { data: { gb: 1.5 } }],
    [',"properties":null', { data: null }],
    [',"precise_total_amount_cents":null,"properties":{"gb":1}', { data: { gb: 1 } }],
    [',"precise_total_amount_cents":"12.34"', { data: { precise_total_amount_cents: '12.34' } }],
    [',"precise_total_amount_cents":"12.34","properties":{"gb":1}', { data: { precise_total_amount_cents: '12.34', gb: 1 } }],
    [',"properties":"text","precise_total_amount_cents":"1"', { data: 'text' }],
    [',"properties":{"precise_total_amount_cents":"5"},"precise_total_amount_cents":"1"', { data: { precise_total_amount_cents: '5' } }],
    [',"external_customer_id":"ignored","other":[1]', {}],
  ])('maps an event with %s', (more, expected) => {
    const { events } = lago(`{"events":[{${whole}${more}}]}`);
    expect(events[0]?.value).toEqual({ source: 'lago:sub_1', id: 'tx_1', type: 'api_calls', subject: 'sub_1', ...expected });
    expect(events[0]?.faults).toBeUndefined();
  });

  it('takes numbers where Lago keeps text', () => {
    const { events } = lago('{"transaction_id":17,"external_subscription_id":12345678901234567890,"code":1.5}');
    expect(events[0]?.value).toEqual({ id: '17', source: 'lago:12345678901234567890', subject: '12345678901234567890', type: '1.5' });
  });

  it.each<[string, string, string]>([
    ['"timestamp":"yesterday"', '/timestamp', 'invalid_time'],
    ['"timestamp":-1', '/timestamp', 'invalid_time'],
    ['"timestamp":{}', '/timestamp', 'invalid_time'],
    [`"external_subscription_id":"${'x'.repeat(252)}"`, '/external_subscription_id', 'too_long'],
  ])('names %s', (member, pointer, code) => {
    expect(lago(`{${whole},${member}}`).events[0]?.faults).toMatchObject([{ pointer, code }]);
  });

  it('keeps what is refused as an event that can be replayed, with all digits', () => {
    const batch = lago(`{"events":[{${whole},"timestamp":"4000000000.5","properties":{"n":12345678901234567890.10}}]}`);
    // date -u -d @4000000000
    expect(batch.payloadOf(0)).toBe('{"data":{"n":12345678901234567890.1},"id":"tx_1","source":"lago:sub_1","subject":"sub_1","time":"2096-10-02T07:06:40.500000Z","type":"api_calls"}');
    expect(lago('{"events":[5]}').payloadOf(0)).toBe('5');
  });
});
