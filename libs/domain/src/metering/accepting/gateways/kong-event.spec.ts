import { describe, expect, it } from 'vitest';
import { ExactNumber } from '../exact-json.js';
import { kongEvent } from './kong-event.js';

const entry = {
  request: { id: '5f3c0e1d2b4a6978c0ffee0011223344', method: 'POST', uri: '/v1/geocode?lang=en', url: 'https://api.example.test:8443/v1/geocode?lang=en', headers: { host: 'api.example.test', 'user-agent': 'curl/8', referer: 'https://x.test/' }, size: 412 },
  upstream_status: '200',
  response: { status: 200, headers: { 'content-type': 'application/json' }, size: 980 },
  latencies: { kong: 2, proxy: 41, request: 44, receive: 1 },
  consumer: { id: 'c0a8', custom_id: 'cus_42', username: 'acme-prod' },
  route: { id: 'r1', name: 'geocode' }, service: { id: 's1', name: 'maps' },
  client_ip: '203.0.113.9', started_at: 1_795_420_800_123,
};

describe('kongEvent', () => {
  it('names every field', () => {
    expect(kongEvent(entry)).toEqual({
      requestId: '5f3c0e1d2b4a6978c0ffee0011223344', type: 'http.request', subject: 'cus_42', time: '2026-11-23T08:00:00.123000Z',
      data: {
        client: '203.0.113.9', user: 'acme-prod', method: 'POST', path: '/v1/geocode', query: 'lang=en', status: 200, bytes: 980, request_bytes: 412, latency_ms: 44,
        route: 'geocode', service: 'maps', user_agent: 'curl/8', referer: 'https://x.test/',
      },
    });
  });

  it.each<[string, unknown, string | null]>([
    ['the custom id', { id: 'i', custom_id: 'c', username: 'u' }, 'c'],
    ['else the name', { id: 'i', custom_id: null, username: 'u' }, 'u'],
    ['else the id', { id: 'i', username: '' }, 'i'],
    ['nobody', undefined, null], ['nobody', null, null], ['nobody', 'x', null], ['nobody', { custom_id: { a: 1 } }, null],
  ])('takes %s of the consumer as the subject', (_name, consumer, subject) => {
    expect(kongEvent({ ...entry, consumer }).subject).toBe(subject);
  });

  it('leaves out what the entry lacks', () => {
    expect(kongEvent({ request: { uri: '/a' }, response: {}, latencies: { request: -1 } })).toEqual({ requestId: null, type: 'http.request', subject: null, time: undefined, data: { path: '/a' } });
    expect(kongEvent({ route: { id: 'r1' }, service: { id: 's1', name: null } }).data).toEqual({ route: 'r1', service: 's1' });
  });

  it('takes the first of a header that was sent twice', () => {
    expect(kongEvent({ request: { headers: { 'user-agent': ['a', 'b'] } } }).data).toEqual({ user_agent: 'a' });
  });

  it('keeps all digits', () => {
    expect(kongEvent({ response: { size: new ExactNumber('123456789012345678') } }).data).toEqual({ bytes: new ExactNumber('123456789012345678') });
  });

  it.each([[undefined, undefined], ['yesterday', 'yesterday'], [-5, '-5'], [1e30, '1000000000000000000000000000000'], [1_795_420_800_123.4567, '2026-11-23T08:00:00.123456Z']])('reads the time %s', (startedAt, time) => {
    expect(kongEvent({ started_at: startedAt }).time).toBe(time);
  });
});
