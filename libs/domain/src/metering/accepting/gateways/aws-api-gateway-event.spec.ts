import { describe, expect, it } from 'vitest';
import { awsApiGatewayEvent } from './aws-api-gateway-event.js';

const line = {
  requestId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef', ip: '203.0.113.9', requestTimeEpoch: '1795420800123', httpMethod: 'POST', path: '/prod/v1/geocode/7', resourcePath: '/v1/geocode/{id}', protocol: 'HTTP/1.1', status: '200',
  responseLength: '980', responseLatency: '44', apiKeyId: 'k9z1', principalId: 'cus_42', stage: 'prod', apiId: 'a1b2c3', userAgent: 'curl/8', user: '-', caller: '-',
};

describe('awsApiGatewayEvent', () => {
  it('names every field', () => {
    expect(awsApiGatewayEvent(line)).toEqual({
      requestId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef', type: 'http.request', subject: 'cus_42', time: '2026-11-23T08:00:00.123000Z',
      data: {
        client: '203.0.113.9', method: 'POST', path: '/prod/v1/geocode/7', protocol: 'HTTP/1.1', status: 200, bytes: 980, latency_ms: 44, route: '/v1/geocode/{id}', service: 'a1b2c3', user_agent: 'curl/8',
      },
    });
  });

  it.each<[object, string | null]>([[{}, 'cus_42'], [{ principalId: '-' }, 'k9z1'], [{ principalId: '' }, 'k9z1'], [{ principalId: '-', apiKeyId: '-' }, null]])('with %j has the subject %s', (over, subject) => {
    expect(awsApiGatewayEvent({ ...line, ...over }).subject).toBe(subject);
  });

  it('prefers the id that a caller can not choose', () => {
    expect(awsApiGatewayEvent({ ...line, extendedRequestId: 'NvWWKEZbliAFliA=' }).requestId).toBe('NvWWKEZbliAFliA=');
    expect(awsApiGatewayEvent({ ...line, extendedRequestId: '-' }).requestId).toBe(line.requestId);
  });

  it('takes an answer without a length as empty, and the time of the common format', () => {
    expect(awsApiGatewayEvent({ responseLength: '-', requestTime: '23/Nov/2026:08:00:00 +0000' })).toMatchObject({ time: '2026-11-23T08:00:00+00:00', data: { bytes: 0 } });
  });

  it('knows the route of an HTTP API, and has the resource as path where no path is logged', () => {
    expect(awsApiGatewayEvent({ routeKey: 'GET /pets' }).data).toEqual({ route: 'GET /pets' });
    expect(awsApiGatewayEvent({ resourcePath: '/v1/geocode' }).data).toEqual({ path: '/v1/geocode', route: '/v1/geocode' });
  });
});
