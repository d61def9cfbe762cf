import { readFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { describeWith } from '#testing';
import { eventually, Product } from './product.js';

// Goal: a real access log, sent carelessly, is counted to the last event and byte. Method: pieces overlap, some are sent twice or
// at the same time, and the process group is killed in the middle. The truths were counted with awk, not with Tollway.

const truths = {
  lines: 10_000,
  clients: 1_753,
  bytes: '2747282740',
  byStatus: { '200': '9126', '206': '45', '301': '164', '304': '445', '403': '2', '404': '213', '416': '2', '500': '3' },
  byDay: { '2015-05-17': '1632', '2015-05-18': '2893', '2015-05-19': '2896', '2015-05-20': '2579' },
  mostActive: { client: '66.249.73.135', requests: '482', bytes: '75500527' },
};
const range = 'from=2015-05-01T00:00:00Z&to=2015-06-01T00:00:00Z';
const pieceLines = 700;

interface Row {
  readonly window_start: string;
  readonly subject?: string;
  readonly group: Record<string, string>;
  readonly value: string;
}

describeWith('access-log', 'a real access log', () => {
  let product: Product;
  afterAll(async () => product?.dispose());

  const usage = async (query: string): Promise<Row[]> => (await product.expect<{ data: Row[] }>(200, `GET /v1/meters/${query}`)).data;
  const totalOf = async (meter: string): Promise<string> => (await usage(`${meter}/usage?${range}`))[0]?.value ?? '0';

  it('is counted exactly, whatever was sent twice and whenever it was killed', async () => {
    const lines = readFileSync(process.env['TOLLWAY_ACCESS_LOG'] ?? '', 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(truths.lines);
    const send = async (from: number): Promise<number | null> => {
      const body = `${lines.slice(from, from + pieceLines).join('\n')}\n`;
      const sent = product.call<{ accepted: number }>(`POST /v1/ingest/combined?batch=may&first_line=${from + 1}`, { raw: { type: 'text/plain', body } });
      return (await sent.catch(() => null))?.body.accepted ?? null;
    };
    product = await Product.start();
    await product.expect(201, 'POST /v1/meters', { body: { key: 'requests', name: 'Requests', event_type: 'http.request', aggregation: 'count', group_by: { status: '$.status' } } });
    await product.expect(201, 'POST /v1/meters', { body: { key: 'traffic', name: 'Traffic', event_type: 'http.request', aggregation: 'sum', value: '$.bytes' } });
    const pieces = Array.from({ length: Math.ceil(lines.length / pieceLines) }, (_, index) => index * pieceLines);
    // The first half, each piece twice at the same time; the group is killed while the sends run.
    const running = pieces.slice(0, 7).flatMap((from) => [send(from), send(from)]);
    await Promise.race(running);
    await product.kill('group');
    await Promise.all(running);
    product = await Product.start({ dataDir: product.dataDir });
    for (const from of pieces) expect(await send(from)).toBe(Math.min(pieceLines, lines.length - from));
    // Pieces cut elsewhere: the same lines under the same numbers. Then Node alone is killed before everything is counted.
    expect(await send(350)).toBe(pieceLines);
    expect(await send(5_001)).toBe(pieceLines);
    await product.kill('process');
    product = await Product.start({ dataDir: product.dataDir });
    await eventually('all lines are counted', async () => (await totalOf('requests')) === String(truths.lines));
    await checkTruths();
    // Once more after a clean restart, when rollups have replaced the raw events.
    expect(await product.stop()).toBe(0);
    product = await Product.start({ dataDir: product.dataDir });
    await checkTruths();
  }, 180_000);

  async function checkTruths(): Promise<void> {
    expect(await totalOf('requests')).toBe(String(truths.lines));
    expect(await totalOf('traffic')).toBe(truths.bytes);
    const byStatus = await usage(`requests/usage?${range}&group_by=status`);
    expect(Object.fromEntries(byStatus.map(({ group, value }) => [group['status'], value]))).toEqual(truths.byStatus);
    const byDay = await usage(`requests/usage?${range}&window=day`);
    expect(Object.fromEntries(byDay.map(({ window_start: start, value }) => [start.slice(0, 10), value]))).toEqual(truths.byDay);
    const { client, requests, bytes } = truths.mostActive;
    const byClient = await usage(`requests/usage?${range}&group_by=subject`);
    expect(byClient).toHaveLength(truths.clients);
    expect(byClient.find(({ subject }) => subject === client)?.value).toBe(requests);
    expect((await usage(`traffic/usage?${range}&subject=${client}`))[0]?.value).toBe(bytes);
  }
});
