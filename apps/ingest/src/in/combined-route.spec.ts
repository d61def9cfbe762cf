import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { useIngest, type Answer } from '../ingest-fixture.js';

const ingest = useIngest();

const line = (path: string, client = '203.0.113.9', user = '-'): string => `${client} - ${user} [17/Oct/2026:10:05:03 +0200] "GET ${path} HTTP/1.1" 200 980 "-" "curl/8"`;
const post = (body: string | Uint8Array, query = '', headers: Record<string, string> = {}): Promise<Answer> =>
  ingest().post(`/v1/ingest/combined${query}`, body, { 'content-type': 'text/plain', ...headers });
const idsOf = async (source: string): Promise<string[]> => (await ingest().events()).filter((event) => event.source === source).map((event) => event.id);

describe('POST /v1/ingest/combined', () => {
  it('makes an event of a line', async () => {
    expect(await post(line('/v1/a?b=c'), '?batch=one')).toMatchObject({ status: 202, body: { accepted: 1, rejected: [] } });
    expect((await ingest().events()).find((event) => event.source === 'batch:one')).toMatchObject({
      id: '1', type: 'http.request', subject: '203.0.113.9', time: '2026-10-17T08:05:03.000000Z', time_given: true,
      data: '{"bytes":980,"client":"203.0.113.9","method":"GET","path":"/v1/a","protocol":"HTTP/1.1","query":"b=c","status":200,"user_agent":"curl/8"}',
    });
  });

  it('counts blank lines, CRLF and the first line into a line number', async () => {
    const body = `\r\n${line('/a')}\r\n\n   \n${line('/b')}\r\njunk\r\n\n`;
    const answer = await post(body, '?batch=numbers&first_line=101');
    expect(answer).toMatchObject({ status: 202, body: { accepted: 2, rejected: [{ index: 2, line: 106, id: '106', code: 'unknown_format', detail: 'Line 106 is no line of an access log in combined format.' }] } });
    expect((await idsOf('batch:numbers')).sort()).toEqual(['102', '105']);
    expect((await ingest().refused()).at(-1)).toMatchObject({ kind: 'refused', payload: 'junk', event_source: 'batch:numbers', event_id: '106' });
  });

  it('gives equal lines of a request an identity each, and the same ones in another request', async () => {
    const body = [line('/twice'), line('/other'), line('/twice'), line('/twice')].join('\n');
    await post(body);
    const ids = await idsOf('combined');
    expect(new Set(ids).size).toBe(4);
    expect(ids.map((id) => id.slice(65)).sort()).toEqual(['1', '1', '2', '3']); // After 64 digits of the hash and a dash.
    await post(line('/twice'));
    const again = (await idsOf('combined')).filter((id) => id.endsWith('-1') && ids.includes(id));
    expect(again).toHaveLength(3); // The two first ones, and the first one once more.
  });

  it('takes the remote user as the subject where asked to, and refuses lines without one', async () => {
    const answer = await post([line('/u', '203.0.113.9', 'acme'), line('/u')].join('\n'), '?batch=users&subject=user');
    expect(answer).toMatchObject({ status: 202, body: { accepted: 1, rejected: [{ index: 1, line: 2, id: '2', code: 'missing_field', errors: [{ pointer: '/subject' }] }] } });
    expect((await ingest().events()).find((event) => event.source === 'batch:users')).toMatchObject({ subject: 'acme' });
    expect(JSON.parse((await ingest().refused()).at(-1)?.payload ?? '')).toMatchObject({ source: 'batch:users', id: '2', data: { path: '/u' } });
  });

  it('is never refused as a whole for what stands in it', async () => {
    const junk = Buffer.concat([Buffer.from([0x16, 3, 1, 0, 0xff, 10]), Buffer.from(line('/café'), 'latin1'), Buffer.from([10]), Buffer.from(line('/ok'))]);
    expect(await post(junk, '?batch=junk')).toMatchObject({ status: 202, body: { accepted: 2, rejected: [{ index: 0, line: 1, code: 'unknown_format' }] } });
    expect(await post('nothing\nbut\njunk')).toMatchObject({ status: 202, body: { accepted: 0 } });
    expect(await post('')).toMatchObject({ status: 202, body: { accepted: 0, rejected: [] } });
    expect(await post(gzipSync(line('/zip')), '?batch=zip', { 'content-encoding': 'gzip', 'content-type': 'application/octet-stream' })).toMatchObject({ status: 202, body: { accepted: 1 } });
    expect(await post(line('/future').replace('2026', '2031'), '?batch=future')).toMatchObject({ status: 202, body: { rejected: [{ code: 'invalid_time' }] } });
  });

  it.each([['?first_line=5', '/batch'], ['?batch=a&first_line=0', '/first_line'], ['?batch=a&first_line=x', '/first_line'], ['?batch=', '/batch'], [`?batch=${'é'.repeat(126)}`, '/batch'], ['?subject=path', '/subject'], ['?batch=a&batch=b', '/batch']])('refuses the query %s', async (query, pointer) => {
    expect(await post(line('/q'), query)).toMatchObject({ status: 422, body: { code: 'invalid_request', errors: [{ pointer }] } });
  });

  it('refuses too many lines, too many bytes and a wrong key', async () => {
    expect(await post('x\n'.repeat(10_001))).toMatchObject({ status: 413 });
    expect(await post('x'.repeat(10 * 1_024 * 1_024 + 1))).toMatchObject({ status: 413 });
    expect(await post(line('/k'), '', { authorization: 'Bearer wrong' })).toMatchObject({ status: 401 });
    expect(await post(line('/k'), '', { authorization: 'Bearer key-reader' })).toMatchObject({ status: 403 });
  });
});

const accessLog = process.env.TOLLWAY_ACCESS_LOG ?? '';

describe.skipIf(accessLog === '' || !existsSync(accessLog))('a real access log (TOLLWAY_ACCESS_LOG)', () => {
  const counted = (texts: readonly (string | number)[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
    return counts;
  };

  // The expected counts were made with awk.
  it('becomes the events that are in it, however it is cut', async () => {
    const lines = (await readFile(accessLog, 'latin1')).split('\n').slice(0, 10_000);
    const piece = (from: number, to: number) => post(Buffer.from(lines.slice(from, to).join('\n'), 'latin1'), `?batch=real&first_line=${from + 1}`);
    const answers = await Promise.all([piece(0, 4_000), piece(3_000, 7_000), piece(7_000, 10_000)]);
    expect(answers.map((answer) => [answer.status, answer.body.accepted, answer.body.rejected.length])).toEqual([[202, 4_000, 0], [202, 4_000, 0], [202, 3_000, 0]]);
    const events = new Map((await ingest().events()).filter((event) => event.source === 'batch:real').map((event) => [event.id, event]));
    const data = [...events.values()].map((event) => JSON.parse(event.data) as { status: number; bytes: number });
    expect(events.size).toBe(10_000);
    expect(data.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(2_747_282_740);
    expect(counted(data.map(({ status }) => status))).toEqual({ 200: 9_126, 206: 45, 301: 164, 304: 445, 403: 2, 404: 213, 416: 2, 500: 3 });
    expect(counted([...events.values()].map(({ time }) => time.slice(0, 10)))).toEqual({ '2015-05-17': 1_632, '2015-05-18': 2_893, '2015-05-19': 2_896, '2015-05-20': 2_579 });
    const subjects = counted([...events.values()].map(({ subject }) => subject));
    expect(Object.keys(subjects)).toHaveLength(1_753);
    expect(subjects['66.249.73.135']).toBe(482);
  });
});
