import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, expect, it } from 'vitest';
import { describeWith } from '#testing';
import { startRedisServer } from './redis-server.js';

const dataDir = mkdtempSync(join(tmpdir(), 'tollway-redis-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

async function ask<T>(url: string, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

describeWith('redis', 'a Redis of our own', () => {
  it('keeps what it holds across a stop, and ends when asked to', async () => {
    const first = await startRedisServer({ dataDir });
    await ask(first.url, (redis) => redis.set('kept', 'yes'));
    await first.stop();
    await first.ended;
    expect(() => process.kill(first.pid, 0)).toThrow();
    const second = await startRedisServer({ dataDir });
    expect(await ask(second.url, (redis) => redis.get('kept'))).toBe('yes');
    await second.stop();
  });

  it('says that it has ended when it was killed', async () => {
    const server = await startRedisServer({ dataDir });
    process.kill(server.pid, 'SIGKILL');
    await server.ended;
    await server.stop();
  });
});
