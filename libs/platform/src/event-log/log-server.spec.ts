import { randomBytes } from 'node:crypto';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, Payload } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Client } from 'pg';
import { afterEach, describe, expect, it } from 'vitest';

import { describeWith, kafkaBrokers, usePostgres } from '#testing';
import { systemClock } from '../clock/clock.js';
import type { EventLog, LogBatch } from './event-log.js';
import { openKafkaEventLog } from './kafka/kafka-event-log.js';
import { LogServer } from './log-server.js';
import { migrateEventLog } from './postgres-event-log-schema.js';
import { openPostgresEventLog } from './postgres-event-log.js';

const { freshDatabase } = usePostgres();
const COUNTING = Symbol('counting');
const BILLING = Symbol('billing');

let onBatch: (handler: string, batch: LogBatch) => Promise<void> = async () => undefined;

@Controller()
class Handlers {
  @EventPattern('usage', COUNTING)
  async count(@Payload() batch: LogBatch): Promise<void> {
    await onBatch('count', batch);
  }

  @EventPattern('usage', BILLING)
  async bill(@Payload() batch: LogBatch): Promise<void> {
    await onBatch('bill', batch);
  }
}

@Module({ controllers: [Handlers] })
class HandlersModule {}

describe('LogServer on Postgres', () => {
  logServerContract(async () => {
    const { url } = await freshDatabase({ template });
    return openPostgresEventLog({ connectionString: url, clock: systemClock, retryDelayMs: 10, onError: () => undefined });
  });
});

describeWith('kafka', 'LogServer on Kafka', () => {
  logServerContract(async () => {
    const log = openKafkaEventLog({ brokers: await kafkaBrokers(), clientId: 'log-server', clock: systemClock, retryDelayMs: 10, onError: () => undefined });
    return withTopicsOfItsOwn(log);
  });
});

function logServerContract(open: () => Promise<EventLog>): void {
  const opened: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
  });

  const openLog = async (): Promise<EventLog> => {
    const log = await open();
    await log.ensureTopic({ name: 'usage', partitions: 1 });
    return log;
  };
  const startApp = async (log: EventLog): Promise<NestFastifyApplication> => {
    const app = await NestFactory.create<NestFastifyApplication>(HandlersModule, new FastifyAdapter(), { logger: false });
    app.connectMicroservice({ strategy: new LogServer({ log, group: 'counting', batchSizeMax: 10, transportId: COUNTING }) });
    app.connectMicroservice({ strategy: new LogServer({ log, group: 'billing', batchSizeMax: 10, transportId: BILLING }) });
    await app.startAllMicroservices();
    opened.push(app, log);
    return app;
  };

  it('hands each group the whole batches of its topic', async () => {
    const log = await openLog();
    const seen = { count: [] as string[], bill: [] as string[] };
    const sizes: number[] = [];
    onBatch = async (handler, batch) => {
      seen[handler as 'count' | 'bill'].push(...batch.records.map(({ value }) => value));
      sizes.push(batch.records.length);
    };
    await log.append('usage', Array.from({ length: 25 }, (_, nth) => ({ key: 'k', value: `${nth}` })));
    await startApp(log);
    const all = Array.from({ length: 25 }, (_, nth) => `${nth}`);
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual({ count: all, bill: all });
    expect(sizes.sort((a, b) => b - a)).toEqual([10, 10, 10, 10, 5, 5]); // 25 = 10 + 10 + 5, for two groups
  });

  it('brings the batch again when the handler fails', async () => {
    const log = await openLog();
    const attempts: string[] = [];
    onBatch = async (handler, batch) => {
      if (handler !== 'count') return;
      attempts.push(batch.records.map(({ value }) => value).join());
      if (attempts.length < 3) throw new Error('Not yet.');
    };
    await startApp(log);
    await log.append('usage', ['0', '1'].map((value) => ({ key: 'k', value })));
    await expect.poll(() => log.lag({ topic: 'usage', group: 'counting' }), { timeout: 10_000 }).toBe(0n);
    expect(attempts).toEqual(['0,1', '0,1', '0,1']);
  });

  it('ends the running batch and commits it when the app closes', async () => {
    const log = await openLog();
    const entered = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    let ended = 0;
    onBatch = async (handler) => {
      if (handler !== 'count') return;
      entered.resolve();
      await gate.promise;
      ended += 1;
    };
    const app = await startApp(log);
    await log.append('usage', [{ key: 'k', value: '0' }]);
    await entered.promise;
    const closed = app.close();
    expect(await log.lag({ topic: 'usage', group: 'counting' })).toBe(1n);
    gate.resolve();
    await closed;
    expect(ended).toBe(1);
    expect(await log.lag({ topic: 'usage', group: 'counting' })).toBe(0n);
  });

  it('fails the start where the topic does not exist', async () => {
    const log = await open();
    await expect(startApp(log)).rejects.toMatchObject({ name: 'Fault', code: 'topic_unknown' });
    await log.close();
  });
}

/** The broker is the whole run's, and a topic's name stands in the handlers: so it is another one on the broker each time. */
function withTopicsOfItsOwn(log: EventLog): EventLog {
  const prefix = `log-server-${randomBytes(6).toString('hex')}-`;
  return {
    ensureTopic: ({ name, partitions }) => log.ensureTopic({ name: prefix + name, partitions }),
    append: (topic, records) => log.append(prefix + topic, records),
    subscribe: ({ topic, handle, ...options }) => log.subscribe({ ...options, topic: prefix + topic, handle: (batch) => handle({ ...batch, topic }) }),
    completeAsOf: ({ topic, group }) => log.completeAsOf({ topic: prefix + topic, group }),
    lag: ({ topic, group }) => log.lag({ topic: prefix + topic, group }),
    lagByPartition: ({ topic, group }) => log.lagByPartition({ topic: prefix + topic, group }),
    nextPositions: ({ topic, group }) => log.nextPositions({ topic: prefix + topic, group }),
    check: () => log.check(),
    close: () => log.close(),
  };
}

const template = {
  name: 'event log',
  prepare: async (url: string): Promise<void> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    await migrateEventLog(client).finally(() => client.end());
  },
};
