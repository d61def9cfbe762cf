import { describe, expect, it } from 'vitest';
import { ExactNumber } from '../exact-json.js';
import { nginxEvent } from './nginx-event.js';

const line = {
  time_iso8601: '2026-11-23T08:00:00+00:00', msec: '1795420800.123', request_id: '5f3c', remote_addr: '203.0.113.9', remote_user: '', request_method: 'POST', request_uri: '/v1/geocode?lang=en',
  server_protocol: 'HTTP/2.0', status: '200', body_bytes_sent: '980', request_length: '412', request_time: '0.044', upstream_response_time: '0.041', http_user_agent: 'curl/8', http_referer: '', consumer: 'cus_42',
};

describe('nginxEvent', () => {
  it('names every field', () => {
    expect(nginxEvent(line)).toEqual({
      requestId: '5f3c', type: 'http.request', subject: 'cus_42', time: '2026-11-23T08:00:00.123000Z',
      data: { client: '203.0.113.9', method: 'POST', path: '/v1/geocode', query: 'lang=en', protocol: 'HTTP/2.0', status: 200, bytes: 980, request_bytes: 412, latency_ms: 44, user_agent: 'curl/8' },
    });
  });

  it.each<[object, string | null]>([
    [{}, 'cus_42'], [{ consumer: '' }, '203.0.113.9'], [{ consumer: '-', remote_user: 'acme' }, 'acme'], [{ consumer: 7, remote_user: 'acme' }, '7'], [{ consumer: null, remote_user: '-', remote_addr: null }, null],
  ])('with %j has the subject %s', (over, subject) => {
    expect(nginxEvent({ ...line, ...over }).subject).toBe(subject);
  });

  it.each<[object, unknown]>([
    [{ msec: undefined }, '2026-11-23T08:00:00+00:00'],
    [{ msec: 1_795_420_800.123, time_iso8601: '' }, '2026-11-23T08:00:00.123000Z'],
    [{ msec: '', time_iso8601: '-', time_local: '23/Nov/2026:09:00:00 +0100' }, '2026-11-23T09:00:00+01:00'],
    [{ msec: null, time_iso8601: null, time: '2026-11-23T08:00:00Z' }, '2026-11-23T08:00:00Z'],
    [{ msec: null, time_iso8601: null }, undefined],
    [{ msec: 'soon' }, 'soon'],
    [{ msec: null, time_iso8601: null, time_local: '31/Nov/2026:09:00:00 +0100' }, '31/Nov/2026:09:00:00 +0100'],
  ])('with %j has the time %s', (over, time) => {
    expect(nginxEvent({ ...line, ...over }).time).toBe(time);
  });

  it.each<[string, number | ExactNumber | undefined]>([
    ['0.000', 0], ['0.044', 44], ['12.5', 12_500], ['-', undefined], ['', undefined], ['0.041, 0.003', undefined], ['-1', undefined], ['0.00000000000000044', new ExactNumber('0.00000000000044')],
    ['12345678901234567', new ExactNumber('12345678901234567000')],
  ])('takes %s seconds as milliseconds', (seconds, milliseconds) => {
    expect(nginxEvent({ request_time: seconds }).data.latency_ms).toEqual(milliseconds);
  });

  it('takes the request line where nothing else names the target', () => {
    expect(nginxEvent({ request: 'GET /a?b=c HTTP/1.1' }).data).toEqual({ method: 'GET', path: '/a', query: 'b=c', protocol: 'HTTP/1.1' });
    expect(nginxEvent({ uri: '/a', args: 'b=c' }).data).toEqual({ path: '/a', query: 'b=c' });
  });

  it('takes "-" bytes as none sent, and the whole answer where only that is logged', () => {
    expect(nginxEvent({ body_bytes_sent: '-' }).data).toEqual({ bytes: 0 });
    expect(nginxEvent({ bytes_sent: 1_200 }).data).toEqual({ bytes: 1_200 });
    expect(nginxEvent({ body_bytes_sent: '' }).data).toEqual({});
  });

  it.each([['200', 200], ['502, 200', 200], [499, 499], ['000', 0], ['2xx', undefined], [{}, undefined], [true, undefined]])('reads the status %j', (status, expected) => {
    expect(nginxEvent({ status }).data.status).toBe(expected);
  });
});
