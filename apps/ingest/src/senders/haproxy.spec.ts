import { afterEach, expect, it } from 'vitest';
import { freePort } from '#platform';
import { describeWith, usePostgres } from '#testing';
import { SenderSetting } from './sender-setting.js';
import { visit } from './visit.js';

usePostgres();

let setting: SenderSetting;
afterEach(async () => {
  await setting.close();
});

describeWith('haproxy', 'HAProxy', () => {
  // Goal: each answered request is one event, also those that are answered while Tollway is away. Method: the first batches get
  // 503; ids are HAProxy's own, which hold colons, and paths hold what JSON does not.
  it('posts its requests in batches from Lua', async () => {
    setting = await SenderSetting.open({ appendsToFail: 2 });
    const port = await freePort();
    const lua = setting.configure('haproxy/tollway.lua', {});
    const conf = setting.configure('haproxy/haproxy.cfg', { '/etc/haproxy/tollway.lua': lua, '127.0.0.1:8080': `127.0.0.1:${port}`, '127.0.0.1:9000': `127.0.0.1:${setting.servicePort}` });
    await setting.run({ command: 'haproxy', args: ['-db', '-f', conf], port, env: { TOLLWAY_URL: setting.ingest.origin, TOLLWAY_API_KEY: 'key-1', TOLLWAY_SOURCE: 'edge-1' } });
    const odd = ['/v1/"quoted"', '/v1/back\\slash', '/missing', `/v1/${'long'.repeat(500)}`];
    await visit(port, { key: 'key-of-acme', paths: [...odd, ...Array.from({ length: 1_200 }, (_, index) => `/v1/a/${index}`)] });
    await visit(port, { key: 'key-of-globex', paths: Array.from({ length: 80 }, () => '/v1/b'), method: 'PUT' });
    await visit(port, { key: 'unknown', paths: ['/v1/a', '/v1/a'] }); // Denied, so not served and not counted.
    expect(await setting.countsBySubject(1_284)).toEqual({ acme: 1_204, globex: 80 });
    expect(setting.served).toBe(1_284);
    const events = await setting.ingest.events();
    expect(events.every(({ id, source }) => source === 'edge-1' && /^7F000001:[\dA-F]+_7F000001:/.test(id))).toBe(true);
    const data = events.map((event) => JSON.parse(event.data) as { path: string; status: number });
    expect(data.filter(({ status }) => status === 404)).toMatchObject([{ path: '/missing' }]);
    expect(data.filter(({ path }) => path === '/v1/"quoted"' || path === '/v1/back\\slash')).toHaveLength(2);
    expect(await setting.ingest.refused()).toEqual([]);
  }, 60_000);
});

