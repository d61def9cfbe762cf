import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { benchKey, serverSecret } from './ingest-setting.ts';
import type { BenchStores } from './stores.ts';

const startTimeoutMs = 300_000;
const stopTimeoutMs = 30_000;
const pollMs = 10;

export interface ProductOptions {
  readonly dataDir: string;
  /** Where it finds its stores; without them it starts its own in the data folder. */
  readonly stores?: BenchStores;
  /** host:port of the broker that has its event log; without it the log is on Postgres. */
  readonly kafkaBroker?: string | undefined;
  readonly demo: 'on' | 'off';
}

/** The whole product, started from dist as `npm start` does, or one app of it. */
export class RunningProduct {
  readonly url: string;
  readonly port: number;
  private readonly child: ChildProcess;
  private readonly said: string[];

  private constructor(parts: { port: number; child: ChildProcess; said: string[] }) {
    this.url = `http://127.0.0.1:${parts.port}`;
    this.port = parts.port;
    this.child = parts.child;
    this.said = parts.said;
  }

  static start({ dataDir, stores, kafkaBroker, demo }: ProductOptions): Promise<RunningProduct> {
    return RunningProduct.launch('standalone', {
      TOLLWAY_DATA_DIR: dataDir,
      TOLLWAY_BOOTSTRAP_API_KEY: benchKey,
      TOLLWAY_DEMO: demo,
      ...(stores === undefined ? {} : storeAddresses(stores)),
      ...(kafkaBroker === undefined ? {} : { KAFKA_BROKERS: kafkaBroker }),
    });
  }

  /** The aggregator alone, on stores that are prepared. */
  static startAggregator({ stores, kafkaBroker }: { readonly stores: BenchStores; readonly kafkaBroker: string }): Promise<RunningProduct> {
    return RunningProduct.launch('aggregator', { ...storeAddresses(stores), KAFKA_BROKERS: kafkaBroker });
  }

  private static async launch(app: string, environment: Readonly<Record<string, string | undefined>>): Promise<RunningProduct> {
    const port = await freePort();
    const child = spawn(process.execPath, [`dist/apps/${app}/src/main.js`], {
      env: { PATH: process.env['PATH'], PORT: String(port), TOLLWAY_SECRET: serverSecret, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stopAtExit = (): void => {
      child.kill('SIGTERM');
      child.kill('SIGCONT'); // Held still, it would not hear the other.
    };
    process.once('exit', stopAtExit);
    child.once('exit', () => process.off('exit', stopAtExit));
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    const product = new RunningProduct({ port, child, said });
    await product.ready();
    return product;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Throws with the whole answer where the status is not the expected one. */
  async expect<Body = unknown>(status: number, route: string, body?: unknown): Promise<Body> {
    const [method = 'GET', path = '/'] = route.split(' ');
    const answer = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${benchKey}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (answer.status !== status) throw new Error(`${route} answered ${answer.status} instead of ${status}: ${text.slice(0, 1_000)}`);
    return JSON.parse(text) as Body;
  }

  /** Holds the process still, as if it were away, without losing its place. */
  pause(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.resume();
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), stopTimeoutMs);
    await ended;
    clearTimeout(timer);
  }

  private async ready(): Promise<void> {
    try {
      await until('the product is ready', async () => {
        if (this.child.exitCode !== null) throw new Error(`The product ended with ${this.child.exitCode}.`);
        const answer = await fetch(`${this.url}/readyz`).catch(() => null);
        await answer?.arrayBuffer();
        return answer?.status === 200;
      }, { timeoutMs: startTimeoutMs, everyMs: pollMs });
    } catch (error) {
      await this.stop();
      throw new Error(`The product did not become ready. It said:\n${this.said.join('').slice(-4_000)}`, { cause: error });
    }
  }
}

/** Asks again until the condition holds; throws with the sentence when it does not in time. */
export async function until(sentence: string, isTrue: () => Promise<boolean>, { timeoutMs = 600_000, everyMs = 20 } = {}): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`It did not happen within ${timeoutMs} ms that ${sentence}.`);
    await wait(everyMs);
  }
}

function storeAddresses({ postgres, clickHouse }: BenchStores): Record<string, string | undefined> {
  return { DATABASE_URL: postgres.url, CLICKHOUSE_URL: clickHouse?.url };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
