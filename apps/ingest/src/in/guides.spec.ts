import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { useIngest } from '../ingest-fixture.js';

const ingest = useIngest();

const folder = 'docs/guides';
const texts = new Map(readdirSync(folder).map((name) => [name, readFileSync(`${folder}/${name}`, 'utf8')]));
const sample = /<!-- sent: POST (\S+) -->\n```json\n([\s\S]*?)\n```\nbecomes\n<!-- becomes -->\n```json\n([\s\S]*?)\n```/;
const samples = [...texts].flatMap(([name, text]) => {
  const [, path = '', sent = '', becomes = ''] = sample.exec(text) ?? [];
  return path === '' ? [] : [{ name, path, sent, becomes }];
});

describe('the guides', () => {
  it('show a payload of every gateway', () => {
    expect(samples.map(({ path }) => path).toSorted()).toEqual([
      '/v1/ingest/apisix', '/v1/ingest/aws-api-gateway', '/v1/ingest/envoy', '/v1/ingest/kong', '/v1/ingest/nginx', '/v1/ingest/segment', '/v1/ingest/tyk', '/v1/logs',
    ]);
  });

  // Goal: what a guide says becomes of a payload is what becomes of it. Method: post it, and compare the event in the log.
  it.each(samples)('$name shows the event of its payload', async ({ path, sent, becomes }) => {
    const answer = await ingest().post(path, sent);
    expect([200, 202]).toContain(answer.status);
    const expected = JSON.parse(becomes) as { source: string; data: unknown };
    const [event, ...others] = (await ingest().events()).filter(({ source }) => source === expected.source);
    expect(others).toEqual([]);
    expect({ ...event, data: JSON.parse(event?.data ?? '') as unknown }).toMatchObject(expected);
    expect(JSON.parse(event?.data ?? '')).toEqual(expected.data);
  });

  it.each([...texts])('%s has settings that can be read', (_name, text) => {
    for (const [, settings = ''] of text.matchAll(/^```yaml\n([\s\S]*?)\n```/gm)) expect(() => parse(settings) as unknown).not.toThrow();
    for (const [, settings = ''] of text.matchAll(/^```json\n([\s\S]*?)\n```/gm)) expect(() => JSON.parse(settings) as unknown).not.toThrow();
  });

  it('are all in the index', () => {
    const index = texts.get('README.md') ?? '';
    expect([...texts.keys()].filter((name) => name !== 'README.md' && !index.includes(`(${name})`))).toEqual([]);
  });
});
