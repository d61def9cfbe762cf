import { describe, expect, it } from 'vitest';
import { envoyEvent } from './envoy-event.js';

const line = {
  start_time: '2026-11-22T10:40:00.123Z', method: 'POST', path: '/v1/geocode?lang=en', protocol: 'HTTP/2', response_code: 200, response_flags: '-', bytes_received: 412, bytes_sent: 980, duration: 44,
  upstream_service_time: '41', x_request_id: '8d2f', stream_id: '77aa', route_name: 'geocode', upstream_cluster: 'maps', downstream_remote_address: '203.0.113.9:51234', user_agent: 'curl/8', referer: null, customer: 'cus_42',
};

describe('envoyEvent', () => {
  it('names every field', () => {
    expect(envoyEvent(line)).toEqual({
      requestId: '8d2f', type: 'http.request', subject: 'cus_42', time: '2026-11-22T10:40:00.123Z',
      data: {
        client: '203.0.113.9', method: 'POST', path: '/v1/geocode', query: 'lang=en', protocol: 'HTTP/2', status: 200, bytes: 980, request_bytes: 412, latency_ms: 44, route: 'geocode', service: 'maps', user_agent: 'curl/8',
      },
    });
  });

  it.each<[object, string | null]>([[{}, 'cus_42'], [{ customer: null, consumer: 'c' }, 'c'], [{ customer: '-', user: 'u' }, 'u'], [{ customer: null }, null]])('with %j has the subject %s', (over, subject) => {
    expect(envoyEvent({ ...line, ...over }).subject).toBe(subject);
  });

  it.each<[object, string | null]>([[{}, '8d2f'], [{ x_request_id: null, request_id: 'r' }, 'r'], [{ x_request_id: '-' }, '77aa'], [{ x_request_id: null, stream_id: null }, null]])('with %j has the id %s', (over, id) => {
    expect(envoyEvent({ ...line, ...over }).requestId).toBe(id);
  });

  it.each([['203.0.113.9:51234', '203.0.113.9'], ['[2001:db8::1]:443', '2001:db8::1'], ['2001:db8::1', '2001:db8::1'], ['203.0.113.9', '203.0.113.9'], ['@unix', '@unix']])('takes the client out of %s', (address, client) => {
    expect(envoyEvent({ downstream_remote_address: address }).data).toEqual({ client });
  });

  it('has no time and no data where all is null', () => {
    expect(envoyEvent(Object.fromEntries(Object.keys(line).map((name) => [name, null])))).toEqual({ requestId: null, type: 'http.request', subject: null, time: undefined, data: {} });
  });
});
