import { afterEach, expect, it } from 'vitest';
import { freePort } from '#platform';
import { describeWith, usePostgres } from '#testing';
import { SenderSetting, served } from './sender-setting.js';
import { visit } from './visit.js';

usePostgres();

let setting: SenderSetting;
afterEach(async () => {
  await setting.close();
});

/** NGINX as one process of this user, with an example in its http block. */
async function startNginx(example: string, replacements: Record<string, string>): Promise<number> {
  const port = await freePort();
  const conf = setting.configure(example, { '127.0.0.1:8080': `127.0.0.1:${port}`, '127.0.0.1:9000': `127.0.0.1:${setting.servicePort}`, ...replacements });
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${setting.dir}/${name};`).join(' ');
  const text = `daemon off; master_process off; pid ${setting.dir}/nginx.pid; error_log stderr warn; events {} http { access_log off; ${paths} include ${conf}; }`;
  const main = setting.write({ name: 'nginx.conf', text });
  await setting.run({ command: 'nginx', args: ['-p', setting.dir, '-c', main], port });
  return port;
}

describeWith('nginx', 'NGINX', () => {
  it('mirrors each request as an event, on connections that it closes', async () => {
    setting = await SenderSetting.open();
    const port = await startNginx('nginx/mirror.conf', { '127.0.0.1:4000': setting.ingestAddress, tw_test_of_your_own: 'key-1' });
    await visit(port, { key: 'key-of-acme', paths: Array.from({ length: 60 }, (_, index) => `/v1/a?n=${index}"`) });
    await visit(port, { key: 'key-of-globex', paths: Array.from({ length: 25 }, () => '/v1/b'), method: 'POST' });
    expect(await setting.countsBySubject(85)).toEqual({ acme: 60, globex: 25 });
    expect(setting.served).toBe(85);
    const events = await setting.ingest.events();
    expect(events).toHaveLength(85);
    expect(new Set(events.map(({ data }) => (JSON.parse(data) as { method: string }).method))).toEqual(new Set(['GET', 'POST']));
  });

  describeWith('syslog-ng', 'with syslog-ng', () => {
    // Goal: at least once becomes exactly once. Method: the first batches are answered with 503, syslog-ng is stopped in between
    // and started again, and the lines that are then sent twice are one event each.
    it('has every line of its access log counted, though Tollway is away at first', async () => {
      setting = await SenderSetting.open({ appendsToFail: 3 });
      const log = `${setting.dir}/tollway.json`;
      const port = await startNginx('nginx/access-log.conf', { '/var/log/nginx/tollway.json': log });
      const conf = setting.configure('syslog-ng/nginx.conf', {
        '/var/log/nginx/tollway.json': log, '127.0.0.1:4000': setting.ingestAddress, tw_test_of_your_own: 'key-1', '/var/lib/syslog-ng': setting.dir,
      });
      const startShipper = () => setting.run({
        command: 'syslog-ng', port: null,
        args: ['--foreground', '--no-caps', '--stderr', `--cfgfile=${conf}`, `--persist-file=${setting.dir}/persist`, `--pidfile=${setting.dir}/pid`, `--control=${setting.dir}/control`],
      });
      const shipper = await startShipper();
      const odd = ['/v1/"quoted"', '/v1/back\\slash', '/v1/caf%C3%A9', '/v1/caf\u00e9', '/v1/\u0001?x=\u0002'.replaceAll(/[\u0001\u0002]/g, '%01'), '/missing', `/v1/${'long'.repeat(500)}`];
      await visit(port, { key: 'key-of-acme', paths: [...odd, ...Array.from({ length: 400 }, (_, index) => `/v1/a?n=${index}`)] });
      await setting.countsBySubject(1);
      await shipper.stop();
      await visit(port, { key: 'key-of-globex', paths: Array.from({ length: 150 }, (_, index) => `/v1/b?n=${index}`) });
      await startShipper();
      await visit(port, { key: 'unknown', paths: Array.from({ length: 43 }, () => '/v1/same') });
      expect(await setting.countsBySubject(600)).toEqual({ acme: 407, globex: 150, '127.0.0.1': 43 }); // 7 odd paths and 400.
      expect(await setting.ingest.refused()).toEqual([]);
      const events = new Map((await setting.ingest.events()).map((event) => [event.id, JSON.parse(event.data) as Record<string, unknown>]));
      const paths = [...events.values()].map(({ path }) => path);
      for (const path of ['/v1/"quoted"', '/v1/back\\slash', '/v1/caf%C3%A9', '/v1/café']) expect(paths.filter((each) => each === path)).toHaveLength(1);
      expect([...events.values()].filter(({ status }) => status === 404)).toMatchObject([{ path: '/missing', method: 'GET' }]);
      expect([...events.values()].filter(({ bytes, status }) => status === 200 && bytes !== served.length)).toEqual([]);
    }, 90_000);
  });
});
