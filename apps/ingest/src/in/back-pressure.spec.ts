import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { topics } from '#contracts';
import { Fault, type EventLog } from '#platform';
import { usePostgres } from '#testing';
import { logWithAppend } from '../fixtures/log-with-append.js';
import { IngestFixture, type IngestOptions } from '../ingest-fixture.js';

usePostgres();

let ingest: IngestFixture | undefined;
const start = async (options: IngestOptions): Promise<IngestFixture> => (ingest = await IngestFixture.start(options));
afterEach(async () => {
  await ingest?.close();
});

const good = { id: 'good', type: 't', subject: 's' };
const bad = { id: 'bad' };

/** The log with one topic that can't take more. */
const fullAt = (topic: string) => (log: EventLog): EventLog => logWithAppend(log, (name, records) =>
  name === topic ? Promise.reject(new Fault({ code: 'log_overloaded', detail: 'Full.', retryable: true, retryAfterSeconds: 3 })) : log.append(name, records));

describe('back-pressure', () => {
  it.each([topics.usageEvents, topics.deadLetters])('answers 503 where %s can take no more, and nothing of the request counts', async (topic) => {
    const fixture = await start({ wrapLog: fullAt(topic) });
    const answer = await fixture.post('/v1/events', [good, bad]);
    expect(answer).toMatchObject({ status: 503, body: { code: 'log_overloaded' } });
    expect(answer.headers.get('retry-after')).toBe('3');
    expect(await fixture.post('/v1/ingest/combined', 'junk\n', { 'content-type': 'text/plain' })).toMatchObject({ status: topic === topics.deadLetters ? 503 : 202 });
    expect(await fixture.events()).toEqual([]);
  });

  it('holds a bounded number of bytes, and gives each byte back', async () => {
    // Room for one and a half of these bodies of 1 MiB: of many at once some are refused, one after another none.
    const fixture = await start({ bodyBytesMax: 1.5 * 1_024 * 1_024 });
    const body = (id: number): string => `${JSON.stringify([{ ...good, id: `e-${id}` }])}${' '.repeat(1_024 * 1_024)}`;
    const answers = await Promise.all(Array.from({ length: 12 }, (_, id) => fixture.post('/v1/events', body(id))));
    const statuses = new Set(answers.map(({ status }) => status));
    expect(statuses).toEqual(new Set([202, 503]));
    expect(answers.find(({ status }) => status === 503)).toMatchObject({ body: { code: 'ingest_overloaded' } });
    expect(await fixture.events()).toHaveLength(answers.filter(({ status }) => status === 202).length);
    for (let id = 100; id < 104; id += 1) expect(await fixture.post('/v1/events', body(id))).toMatchObject({ status: 202 });
  });

  it('counts what gzip says it holds', async () => {
    const fixture = await start({ bodyBytesMax: 1_024 * 1_024 });
    const bomb = gzipSync(Buffer.alloc(5 * 1_024 * 1_024, 32));
    expect(await fixture.post('/v1/events', bomb, { 'content-encoding': 'gzip' })).toMatchObject({ status: 503, body: { code: 'ingest_overloaded' } });
    expect(await fixture.post('/v1/events', gzipSync(JSON.stringify(good)), { 'content-encoding': 'gzip' })).toMatchObject({ status: 202 });
  });
});

describe('bounds of time', () => {
  it('follow business time and the raw retention', async () => {
    const fixture = await start({ businessNow: '2030-05-01T00:00:00Z', rawRetentionSeconds: 86_400 });
    const at = (time?: string) => ({ ...good, id: time ?? 'none', ...(time === undefined ? {} : { time }) });
    const times = ['2030-05-01T01:00:00Z', '2030-05-01T01:00:00.000001Z', '2030-04-30T00:00:00Z', '2030-04-29T23:59:59.999999Z'];
    const answer = await fixture.post('/v1/events', [...times.map(at), at()]);
    expect(answer.body.accepted).toBe(3);
    expect(answer.body.rejected.map(({ id, code }) => [id, code])).toEqual([[times[1], 'invalid_time'], [times[3], 'too_old']]);
    expect((await fixture.events()).find(({ id }) => id === 'none')).toMatchObject({ time: '2030-05-01T00:00:00.000000Z', received_at: '2026-11-23T06:00:00.500000Z' });
  });
});
