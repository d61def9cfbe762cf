import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { describeWith, useOwnKafka, type OwnKafkaBroker } from '#testing';
import { eventually, freePort, isAlive, Product } from './product.js';

// Goal: a store that goes away while events flow costs time and nothing else. Method: Redis and the broker are the test's own, so that
// they can be killed and come back in their place; the ClickHouse process is killed and comes back by itself. Whoever is answered by
// 503 sends again, as gateways do; some batches are sent twice.

const batchSize = 50;
const pauseMs = 20;
const brokerAwayMs = process.env['TOLLWAY_LONG'] === 'on' ? 60_000 : 10_000;

describeWith('kafka-jars', 'a cluster whose stores go away', () => {
  describeWith('redis', 'on a broker and a Redis of the test', () => {
    const { startOwnBroker } = useOwnKafka();
    let broker: OwnKafkaBroker;
    let redis: OwnRedis;
    let product: Product;
    afterAll(async () => {
      if (product !== undefined) {
        expect(await product.stop()).toBe(0);
        await product.dispose();
      }
      await redis?.dispose();
    }, 90_000);

    const sender = new Sender(() => product);

    it('starts on them', async () => {
      broker = await startOwnBroker();
      redis = await OwnRedis.start();
      product = await Product.startCluster({ environment: { KAFKA_BROKERS: broker.address, REDIS_URL: redis.url } });
      await product.expect(200, 'POST /v1/test-clock', { body: { now: '2027-01-01T00:00:00Z' } });
      await product.expect(201, 'POST /v1/meters', { body: { key: 'calls', name: 'Calls', event_type: 'api.call', aggregation: 'count' } });
      await product.expect(201, 'POST /v1/plans', {
        body: {
          key: 'flow', name: 'Flow', currency: 'USD', billing_period: 'P1M',
          prices: [{ key: 'calls', name: 'Calls', type: 'usage', meter: 'calls', model: { type: 'per_unit', unit_amount: '0.01' } }],
        },
      });
      await product.expect(201, 'POST /v1/customers', { body: { key: 'acme', name: 'Acme', email: 'billing@example.com', currency: 'USD', subjects: ['key-1'] } });
      await product.expect(201, 'POST /v1/subscriptions', { body: { customer: 'acme', plan: 'flow' } });
      await product.expect(200, 'POST /v1/test-clock/advance', { body: { to: '2027-01-31T00:00:00Z' } });
      sender.start();
      await eventually('events flow', async () => sender.accepted >= 5);
    }, 240_000);

    it('goes on while Redis is away and after it is back', async () => {
      await redis.kill();
      await eventually('the apps that need it say so', async () => (await readiness('invoicing'))['redis'] === 'failed' && (await readiness('rating'))['redis'] === 'failed');
      const before = sender.accepted;
      await eventually('events flow without it', async () => sender.accepted >= before + 10);
      redis.restart();
      await eventually('they are ready again', async () => (await readiness('invoicing'))['redis'] === 'ok' && (await readiness('rating'))['redis'] === 'ok');
    }, 120_000);

    it('goes on while the ClickHouse process starts again', async () => {
      const pid = Number(/^ClickHouse \(process (\d+)/m.exec(product.output())?.[1]);
      expect(pid).toBeGreaterThan(0);
      process.kill(pid, 'SIGKILL');
      await eventually('it has ended', async () => !isAlive(pid));
      const before = sender.accepted;
      await eventually('events flow meanwhile', async () => sender.accepted >= before + 10);
      await eventually('it answers again', async () => (await readiness('aggregator'))['clickhouse'] === 'ok');
    }, 120_000);

    it('answers 503 with Retry-After while the broker is away, and names it', async () => {
      broker.kill('SIGKILL');
      const goneAt = performance.now();
      const before = sender.turnedAway.length;
      await eventually('senders are turned away', async () => sender.turnedAway.length > before, 60_000);
      await eventually('ingest names the broker', async () => (await readiness('ingest'))['kafka'] === 'failed');
      await eventually('the broker was away long enough', async () => performance.now() - goneAt >= brokerAwayMs, brokerAwayMs + 30_000);
      await broker.restart();
      await eventually('events flow again', async () => sender.accepted >= 60, 90_000);
      for (const answer of sender.turnedAway) {
        expect(answer.status).toBe(503);
        expect(Number(answer.retryAfter)).toBeGreaterThan(0);
      }
    }, 240_000);

    it('has counted each event once and bills it to the cent', async () => {
      const batches = await sender.stop();
      const counted = async (): Promise<string> => {
        const answer = await product.call<{ data?: { value: string }[] }>('GET /v1/meters/calls/usage?from=2027-01-01T00:00:00Z&to=2027-02-01T00:00:00Z').catch(() => null);
        return answer?.body.data?.[0]?.value ?? 'none';
      };
      await eventually('all is counted', async () => (await counted()) === String(batches * batchSize), 90_000);
      await product.expect(200, 'POST /v1/test-clock/advance', { body: { to: '2027-02-01T02:00:00Z' } });
      const { data } = await product.expect<{ data: { total: string; status: string }[] }>(200, 'GET /v1/invoices?customer=acme');
      // One cent a call: 50 calls a batch are half a dollar.
      expect(data.map(({ total }) => total)).toEqual([(batches / 2).toFixed(2)]);
    }, 240_000);

    const readiness = async (app: string): Promise<Record<string, string>> => {
      const { port } = product.processesOf(app)[0] ?? { port: 0 };
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
      return ((await answer?.json()) as { checks?: Record<string, string> } | undefined)?.checks ?? {};
    };
  });
});

interface TurnedAway {
  readonly status: number;
  readonly retryAfter: string | null;
}

/** Sends one batch after the other until it is stopped, each until it is accepted, and every seventh once more. */
class Sender {
  accepted = 0;
  readonly turnedAway: TurnedAway[] = [];
  private isStopped = false;
  private sending: Promise<void> = Promise.resolve();

  constructor(private readonly product: () => Product) {}

  start(): void {
    this.sending = this.work();
  }

  /** How many batches were accepted. */
  async stop(): Promise<number> {
    this.isStopped = true;
    await this.sending;
    return this.accepted;
  }

  private async work(): Promise<void> {
    for (let batch = 0; !this.isStopped; batch += 1) {
      await this.send(batch);
      if (batch % 7 === 0) await this.send(batch);
      this.accepted += 1;
      await pause();
    }
  }

  private async send(batch: number): Promise<void> {
    const events = Array.from({ length: batchSize }, (_, index) => {
      const nth = batch * batchSize + index;
      return { id: `event-${nth}`, type: 'api.call', subject: 'key-1', time: Temporal.Instant.from('2027-01-02T00:00:00Z').add({ seconds: nth }).toString() };
    });
    for (;;) {
      const answer = await this.product().call('POST /v1/events', { body: { events } });
      if (answer.status === 202) return;
      this.turnedAway.push({ status: answer.status, retryAfter: answer.headers.get('retry-after') });
      await pause();
    }
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pauseMs));
}

/** A Redis that comes back at its port with what it held. */
class OwnRedis {
  private constructor(
    readonly folder: string,
    readonly port: number,
    private child: ChildProcess,
  ) {}

  static async start(): Promise<OwnRedis> {
    const folder = mkdtempSync(join(tmpdir(), 'tollway-redis-'));
    const port = await freePort();
    return new OwnRedis(folder, port, startRedis({ folder, port }));
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async kill(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  restart(): void {
    this.child = startRedis(this);
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function startRedis({ folder, port }: { readonly folder: string; readonly port: number }): ChildProcess {
  return spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec'], { stdio: 'ignore' });
}
