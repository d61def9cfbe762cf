import { describe, expect, it } from 'vitest';
import { ExactNumber } from '../exact-json.js';
import { apisixEvent } from './apisix-event.js';

const entry = {
  client_ip: '203.0.113.9', start_time: 1_795_420_800_123, latency: new ExactNumber('43.0000019073486328'), upstream_latency: 41, apisix_latency: 2, route_id: 'geocode', service_id: 'maps',
  upstream: '10.0.0.7:8080', consumer: { username: 'acme_prod' }, server: { hostname: 'gw-1', version: '3.13.0' },
  request: { url: 'http://api.example.test:9080/v1/geocode?lang=en', uri: '/v1/geocode?lang=en', method: 'POST', headers: { 'x-request-id': '0b5e', 'user-agent': 'curl/8' }, size: 412 },
  response: { status: 200, headers: { 'content-type': 'application/json' }, size: 980 },
};

describe('apisixEvent', () => {
  it('names every field of a default entry, with all digits of the latency', () => {
    expect(apisixEvent(entry)).toEqual({
      requestId: '0b5e', type: 'http.request', subject: 'acme_prod', time: '2026-11-23T08:00:00.123000Z',
      data: {
        client: '203.0.113.9', user: 'acme_prod', method: 'POST', path: '/v1/geocode', query: 'lang=en', status: 200, bytes: 980, request_bytes: 412, latency_ms: new ExactNumber('43.0000019073486328'),
        route: 'geocode', service: 'maps', user_agent: 'curl/8',
      },
    });
  });

  it('has no id, no consumer, no route and no service where APISIX had none', () => {
    const { consumer: _consumer, ...anonymous } = entry;
    const event = apisixEvent({ ...anonymous, request: { ...entry.request, headers: {} }, route_id: 'no-matched', service_id: '' });
    expect(event).toMatchObject({ requestId: null, subject: null });
    expect(Object.keys(event.data)).toEqual(['client', 'method', 'path', 'query', 'status', 'bytes', 'request_bytes', 'latency_ms']);
  });

  it('finds the id in the answer where the plugin writes it only there', () => {
    expect(apisixEvent({ ...entry, request: { headers: {} }, response: { headers: { 'x-request-id': 'r' } } }).requestId).toBe('r');
  });

  it('reads a log_format whose keys are the variables, times in seconds', () => {
    expect(
      apisixEvent({
        '@timestamp': '2026-11-22T10:40:00+00:00', remote_addr: '203.0.113.9', consumer_name: 'acme_prod', request_id: '0b5e', request_method: 'POST', request_uri: '/v1/geocode?lang=en', status: '200',
        body_bytes_sent: '980', request_length: '412', request_time: '0.044', http_user_agent: 'curl/8', route_id: 'geocode', service_id: '',
      }),
    ).toEqual({
      requestId: '0b5e', type: 'http.request', subject: 'acme_prod', time: '2026-11-22T10:40:00+00:00',
      data: {
        client: '203.0.113.9', user: 'acme_prod', method: 'POST', path: '/v1/geocode', query: 'lang=en', status: 200, bytes: 980, request_bytes: 412, latency_ms: 44, route: 'geocode', user_agent: 'curl/8',
      },
    });
  });

  it('reads a log_format that takes names of the default entry', () => {
    expect(apisixEvent({ client_ip: '203.0.113.9', start_time: '1795420800123', latency: '43.5', http_x_request_id: 'r', consumer_name: 'a', route_id: 'no-matched' })).toEqual({
      requestId: 'r', type: 'http.request', subject: 'a', time: '2026-11-23T08:00:00.123000Z', data: { client: '203.0.113.9', user: 'a', latency_ms: 43.5 },
    });
  });
});
