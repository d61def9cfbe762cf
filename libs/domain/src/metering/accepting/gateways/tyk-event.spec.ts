import { describe, expect, it } from 'vitest';
import { tykEvent } from './tyk-event.js';

const record = {
  timestamp: '2026-11-22T10:40:00.123Z', method: 'POST', path: '/v1/geocode', raw_path: '/v1/geocode?lang=en', response_code: 200, alias: 'acme-prod', api_key: '6a3f1c', api_version: 'Default', api_name: 'maps', api_id: 'b1',
  org_id: 'o1', oauth_id: '', request_time_ms: 44, ip_address: '203.0.113.9', host: 'api.example.test', content_length: 412, user_agent: 'curl/8', tags: ['apikey-6a3f1c', 'org-o1'],
};

describe('tykEvent', () => {
  it('names every field of a record of the kafka pump', () => {
    expect(tykEvent(record)).toEqual({
      requestId: null, type: 'http.request', subject: 'acme-prod', time: '2026-11-22T10:40:00.123Z',
      data: { client: '203.0.113.9', user: 'acme-prod', method: 'POST', path: '/v1/geocode', query: 'lang=en', status: 200, request_bytes: 412, latency_ms: 44, service: 'maps', user_agent: 'curl/8' },
    });
  });

  it.each<[object, string | null]>([[{ alias: '', oauth_id: 'o' }, 'o'], [{ alias: '' }, '6a3f1c'], [{ alias: '', api_key: '' }, null]])('with %j has the subject %s', (over, subject) => {
    expect(tykEvent({ ...record, ...over }).subject).toBe(subject);
  });

  it('reads the latency of other pumps, and leaves out a length that Tyk does not know', () => {
    expect(tykEvent({ request_time: 7, latency: { total: 9 } }).data).toEqual({ latency_ms: 7 });
    expect(tykEvent({ latency: { total: 9 }, content_length: -1 }).data).toEqual({ latency_ms: 9 });
  });
});
