import { Redis } from 'ioredis';
import type { DependencyCheck } from '../http/dependency-checks.js';

const answerMaxMs = 1_000;

/** Asks a Redis whether it answers, on a connection of its own that is made again when it broke: BullMQ's wait for one that is away. */
export function openRedisCheck(url: string): { readonly check: DependencyCheck; close(): void } {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0, connectTimeout: answerMaxMs, commandTimeout: answerMaxMs });
  redis.on('error', () => undefined); // The check says it.
  return {
    async check() {
      if (redis.status === 'wait' || redis.status === 'end') await redis.connect();
      await redis.ping();
    },
    close: () => redis.disconnect(),
  };
}
