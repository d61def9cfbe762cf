import { describe, expect, it } from 'vitest';
import { combinedEvent } from './combined-event.js';
import { parseCombinedLine, type CombinedLine } from './combined-line.js';

const plain: CombinedLine = {
  client: '203.0.113.9', user: null, time: '2026-10-17T10:05:03+00:00', method: 'GET', path: '/v1/a', query: null, protocol: 'HTTP/1.1',
  status: 200, bytes: '980', userAgent: 'curl/8', referer: null,
};
const line = (request: string, rest = '200 980 "-" "curl/8"'): string => `203.0.113.9 - - [17/Oct/2026:10:05:03 +0000] "${request}" ${rest}`;

describe('parseCombinedLine', () => {
  it.each<[string, string, Partial<CombinedLine>]>([
    ['a plain line', line('GET /v1/a HTTP/1.1'), {}],
    ['a query', line('GET /v1/a?b=1&c=?2 HTTP/1.1'), { query: 'b=1&c=?2' }],
    ['a user, a referer and an offset', '203.0.113.9 ident acme-prod [17/Oct/2026:10:05:03 -0730] "GET /v1/a HTTP/1.1" 200 980 "https://x.test/?q=1" "curl/8"', { user: 'acme-prod', referer: 'https://x.test/?q=1', time: '2026-10-17T10:05:03-07:30' }],
    ['a user with blanks', '203.0.113.9 - Jo Doe [17/Oct/2026:10:05:03 +0000] "GET /v1/a HTTP/1.1" 200 980 "-" "curl/8"', { user: 'Jo Doe' }],
    ['IPv6', line('GET /v1/a HTTP/2.0').replace('203.0.113.9', '2001:db8::1'), { client: '2001:db8::1', protocol: 'HTTP/2.0' }],
    ['no bytes', line('GET /v1/a HTTP/1.1', '304 - "-" "curl/8"'), { status: 304, bytes: '0' }],
    ['no status', line('GET /v1/a HTTP/1.1', '- 0 "-" "curl/8"'), { status: null, bytes: '0' }],
    ['no request', line('-', '408 0 "-" "-"'), { method: null, path: null, protocol: null, status: 408, bytes: '0', userAgent: null }],
    ['an empty request', line('', '400 0 "-" "-"'), { method: null, path: null, protocol: null, status: 400, bytes: '0', userAgent: null }],
    ['a TLS greeting', line(String.raw`\x16\x03\x01\x02\x00\x01`, '400 226 "-" "-"'), { method: null, path: null, protocol: null, status: 400, bytes: '226', userAgent: null }],
    ['no protocol', line('GET /v1/a'), { protocol: null }],
    ['blanks in the target', line('GET /v1/a b HTTP/1.1'), { path: '/v1/a b' }],
    ['an absolute target', line('GET http://x.test/v1/a HTTP/1.1'), { path: 'http://x.test/v1/a' }],
    ['escaped quotes', line(String.raw`GET /v1/\"a\" HTTP/1.1`, String.raw`200 980 "-" "say \"hi\" \\ \x22there\x22"`), { path: '/v1/"a"', userAgent: String.raw`say "hi" \ "there"` }],
    ['escaped UTF-8', line(String.raw`GET /caf\xc3\xa9 HTTP/1.1`), { path: '/café' }],
    ['escaped bytes that are no UTF-8', line('GET /v1/a HTTP/1.1', String.raw`200 980 "http://\xe4\xe5/" "curl/8"`), { referer: String.raw`http://\xe4\xe5/` }],
    ['brackets in the agent', line('GET /v1/a HTTP/1.1', '200 980 "-" "x [17/Oct/2026:10:05:03 +0000] y"'), { userAgent: 'x [17/Oct/2026:10:05:03 +0000] y' }],
    ['an agent cut off', line('GET /v1/a HTTP/1.1', '200 980 "-" "Mozilla/5.0 (compat'), { userAgent: 'Mozilla/5.0 (compat' }],
    ['the common format', line('GET /v1/a HTTP/1.1', '200 980'), { userAgent: null }],
    ['fields behind', line('GET /v1/a HTTP/1.1', '200 980 "-" "curl/8" "198.51.100.7" 0.044'), {}],
    ['more bytes than a float holds', line('GET /v1/a HTTP/1.1', '200 12345678901234567 "-" "curl/8"'), { bytes: '12345678901234567' }],
  ])('takes %s', (_name, text, over) => {
    expect(parseCombinedLine(text)).toEqual({ ...plain, ...over });
  });

  it.each([
    ['nothing', ''], ['words', 'this is no log line'], ['JSON', '{"status":200}'], ['a line cut in the request', line('GET /v1/a HTTP/1.1').slice(0, 60)],
    ['a month that is none', line('GET / HTTP/1.1').replace('Oct', 'Okt')], ['a day that is none', line('GET / HTTP/1.1').replace('17/Oct', '31/Sep')],
    ['a status of two digits', line('GET / HTTP/1.1', '20 980 "-" "-"')], ['bytes below zero', line('GET / HTTP/1.1', '200 -5 "-" "-"')],
    ['binary', '\u0016\u0003\u0001\u0000\ufffd'], ['a line beyond any', line(`GET /${'a'.repeat(70_000)} HTTP/1.1`)],
  ])('refuses %s', (_name, text) => {
    expect(parseCombinedLine(text)).toBeNull();
  });

  it.each([[`a - ${' ['.repeat(30_000)}`], [`a - - [x] "${'\\'.repeat(60_000)}`], [`a - - [17/Oct/2026:10:05:03 +0000] "G" 200 1${' '.repeat(60_000)}x`]])('is not slow on what looks like a line for long', (text) => {
    const before = performance.now();
    expect(parseCombinedLine(text)).toBeNull();
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});

describe('combinedEvent', () => {
  const identity = { source: 'batch:may', id: '7' };

  it('leaves out what the line lacks', () => {
    expect(combinedEvent(parseCombinedLine(line('-', '408 - "-" "-"'))!, identity, 'client')).toEqual({
      id: '7', source: 'batch:may', type: 'http.request', subject: '203.0.113.9', time: '2026-10-17T10:05:03+00:00', data: { client: '203.0.113.9', status: 408, bytes: 0 },
    });
  });

  it('names every field', () => {
    const full = '203.0.113.9 - acme [17/Oct/2026:10:05:03 +0000] "POST /v1/a?b=c HTTP/1.1" 201 5 "https://x.test/" "curl/8"';
    expect(combinedEvent(parseCombinedLine(full)!, identity, 'user')).toMatchObject({
      subject: 'acme',
      data: { client: '203.0.113.9', user: 'acme', method: 'POST', path: '/v1/a', query: 'b=c', protocol: 'HTTP/1.1', status: 201, bytes: 5, user_agent: 'curl/8', referer: 'https://x.test/' },
    });
  });

  it('has no subject where the user is asked for and the line names none', () => {
    expect(combinedEvent(parseCombinedLine(line('GET / HTTP/1.1'))!, identity, 'user')).not.toHaveProperty('subject');
  });
});
