import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';

import { describeWith } from '#testing';
import { openJobQueue } from './bullmq-job-queue.js';
import { jobsContract } from './jobs-contract.js';
import { openRedisCheck } from './redis-check.js';

const quick = { attemptsMax: 5, lockDurationMs: 1_000, stalledIntervalMs: 500, onError: (): void => undefined };

describeWith('redis', 'the job queue on Redis', () => {
  jobsContract('bullmq on redis', async () => {
    const redis = await startRedis();
    return {
      open: async ({ retryDelayMs }) => openJobQueue({ backend: 'redis', url: redis.url, ...quick, retryDelayMs }),
      deadWorker: async (queue) => {
        const taken = Promise.withResolvers<void>();
        const process = async (): Promise<void> => {
          taken.resolve();
          await new Promise(() => undefined);
        };
        const worker = new Worker(queue, process, { connection: { url: redis.url, maxRetriesPerRequest: null }, prefix: 'bullmq', lockDuration: 1_000, skipLockRenewal: true, skipStalledCheck: true });
        await worker.waitUntilReady();
        return { tookJob: taken.promise, bury: () => worker.close(true) };
      },
      close: redis.stop,
    };
  });
});

describeWith('redis', 'whether a Redis answers', () => {
  it('is known at once, and again when another one stands in its place', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tollway-redis-'));
    const socket = join(folder, 'redis.sock');
    const { check, close } = openRedisCheck(`unix://${socket}`);
    await expect(check()).rejects.toThrow();
    for (let nth = 0; nth < 2; nth += 1) {
      const redis = await startRedisOn(folder, socket);
      await expect(check()).resolves.toBeUndefined();
      await redis.stop();
      await expect(check()).rejects.toThrow();
    }
    close();
    await rm(folder, { recursive: true, force: true });
  });
});

it('says so when Redis is away, instead of waiting for it', async () => {
  const away = openJobQueue({ backend: 'redis', url: 'redis://127.0.0.1:1', ...quick, timeoutMs: 200 });
  await expect(away.add('q', [{ name: 'job', payload: {} }])).rejects.toMatchObject({ name: 'Fault', code: 'queue_unavailable', retryable: true });
  await expect(away.work({ queue: 'q', concurrency: 1, handle: async () => undefined })).rejects.toMatchObject({ code: 'queue_unavailable' });
  await away.close();
});

/** The server that REDIS_URL names, or one of our own on a Unix socket. */
async function startRedis(): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const given = process.env['REDIS_URL'] ?? '';
  if (given !== '') return { url: given, stop: async () => undefined };
  const folder = await mkdtemp(join(tmpdir(), 'tollway-redis-'));
  const { url, stop } = await startRedisOn(folder, join(folder, 'redis.sock'));
  return { url, stop: () => stop().then(() => rm(folder, { recursive: true, force: true })) };
}

async function startRedisOn(folder: string, socket: string): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const server = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', ''], { stdio: 'ignore' });
  const probe = new Redis({ path: socket, retryStrategy: () => 50, maxRetriesPerRequest: 100 });
  probe.on('error', () => undefined); // Until it listens.
  await probe.ping();
  probe.disconnect();
  const stop = async (): Promise<void> => {
    server.kill();
    await once(server, 'exit');
  };
  return { url: `unix://${socket}`, stop };
}
