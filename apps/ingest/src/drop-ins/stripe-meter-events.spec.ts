import { describe, expect, it } from 'vitest';
import { meterEventStream, meterEventV1, meterEventV2, type MeterEventRequest } from './stripe-meter-events.js';

const form = (text: string): MeterEventRequest => ({ headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: Buffer.from(text), makeIdentifier: (index) => `made-${index}` });
const json = (text: string): MeterEventRequest => ({ ...form(text), headers: { 'content-type': 'application/json' } });

describe('meterEventV1', () => {
  it.each<[string, object]>([
    ['event_name=api&payload[value]=25&payload[stripe_customer_id]=cus_1&identifier=id_1&timestamp=1793527200', { id: 'id_1', type: 'api', subject: 'cus_1', time: '2026-11-01T10:00:00.000000Z', data: { value: '25', stripe_customer_id: 'cus_1' } }],
    ['event_name=api&payload%5Bvalue%5D=1.5&payload%5Bstripe_customer_id%5D=cus%201%2B&expand%5B0%5D=x', { id: 'made-0', type: 'api', subject: 'cus 1+', data: { value: '1.5', stripe_customer_id: 'cus 1+' } }],
    ['event_name=a&event_name=b&payload[stripe_customer_id]=x&payload[stripe_customer_id]=y', { id: 'made-0', type: 'b', subject: 'y', data: { stripe_customer_id: 'y' } }],
    ['event_name=a&payload=text', { id: 'made-0', type: 'a', data: 'text' }],
    ['event_name=a&payload[__proto__]=p&__proto__=q&payload[a][b]=deep', { id: 'made-0', type: 'a', data: { ['__proto__']: 'p' } }],
    ['identifier=', { id: '' }],
    ['', { id: 'made-0' }],
  ])('reads %s', (text, expected) => {
    const [event] = meterEventV1(form(text)).events;
    expect(JSON.parse(JSON.stringify(event?.value))).toEqual(JSON.parse(JSON.stringify({ source: 'stripe', ...expected })));
    expect(event?.faults).toBeUndefined();
  });

  it('names a timestamp that is none', () => {
    expect(meterEventV1(form('timestamp=noon')).events[0]?.faults).toMatchObject([{ pointer: '/timestamp', code: 'invalid_time' }]);
  });

  it('keeps what is refused as an event that can be replayed', () => {
    expect(meterEventV1(form('event_name=a&timestamp=4000000000&payload[stripe_customer_id]=c')).payloadOf(0)).toBe(
      '{"data":{"stripe_customer_id":"c"},"id":"made-0","source":"stripe","subject":"c","time":"2096-10-02T07:06:40.000000Z","type":"a"}');
  });
});

describe('meterEventV2 and meterEventStream', () => {
  it('read JSON, with all digits', () => {
    const text = '{"event_name":"api","identifier":null,"timestamp":"2026-11-01T10:00:00Z","payload":{"stripe_customer_id":"cus_1","value":"12345678901234567890.5","n":12345678901234567890.5}}';
    const expected = { id: 'made-0', source: 'stripe', type: 'api', subject: 'cus_1', time: '2026-11-01T10:00:00Z' };
    expect(meterEventV2(json(text)).events[0]?.value).toMatchObject({ ...expected, data: { value: '12345678901234567890.5', n: { text: '12345678901234567890.5' } } });
    expect(meterEventStream(json(`{"events":[${text},${text}]}`)).events.map(({ value }) => (value as { id: string }).id)).toEqual(['made-0', 'made-1']);
    expect(meterEventStream(json('{"events":[]}')).events).toEqual([]);
  });

  it.each(['[]', '5', 'null', '"text"'])('refuse %s as a whole', (text) => {
    expect(() => meterEventV2(json(text))).toThrow('Send one meter event as a JSON object.');
    expect(() => meterEventStream(json(text))).toThrow('Send {"events": […]}.');
  });

  it('refuse other types', () => {
    expect(() => meterEventV2(form('{}'))).toThrow('Send application/json.');
    expect(() => meterEventV1(json('{}'))).toThrow('Send application/x-www-form-urlencoded.');
  });
});
