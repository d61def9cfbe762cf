import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describeWith } from '#testing';

// Starts the product as a user does, in processes of its own, so that a test can kill them.

export const testKey = 'tw_test_scenario_0123456789abcdef';

const startTimeoutMs = { standalone: 60_000, cluster: 180_000 };
const stopTimeoutMs = 60_000;
const saidCharactersMax = 100_000;

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface CallOptions {
  readonly key?: string;
  readonly body?: unknown;
  /** Sent as it stands, with its own content type. */
  readonly raw?: { readonly type: string; readonly body: string | Uint8Array };
  readonly headers?: Record<string, string>;
}

export interface StartOptions {
  readonly dataDir?: string;
  readonly port?: number;
  readonly environment?: Record<string, string>;
  /** As after --replicas; of the cluster only. */
  readonly replicas?: string;
}

export type Topology = 'standalone' | 'cluster';
export type Start = (options?: StartOptions) => Promise<Product>;

/** The same story on one process and on many; the second is skipped visibly where the machine lacks what it takes. */
export function onEachTopology(name: string, story: (start: Start, topology: Topology) => void): void {
  describeWith('clickhouse', `${name}: standalone`, () => story((options) => Product.start(options), 'standalone'));
  describeWith('kafka', `${name}: cluster`, () => {
    describeWith('redis', 'on Kafka and Redis', () => story((options) => Product.startCluster(options), 'cluster'));
  });
}

export class Product {
  private constructor(
    readonly topology: Topology,
    readonly url: string,
    readonly dataDir: string,
    private readonly child: ChildProcess,
    readonly output: () => string,
  ) {}

  static start(options: StartOptions = {}): Promise<Product> {
    return Product.launch('standalone', options);
  }

  /** Every app as processes of their own, on a Kafka broker and a Redis of their own. */
  static async startCluster(options: StartOptions = {}): Promise<Product> {
    const kafkaPort = options.environment?.['KAFKA_PORT'] ?? String(await freePort());
    return Product.launch('cluster', { ...options, environment: { KAFKA_PORT: kafkaPort, KAFKA_BROKERS: '', REDIS_URL: '', ...options.environment } });
  }

  private static async launch(topology: Topology, options: StartOptions): Promise<Product> {
    const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'tollway-scenario-'));
    const port = options.port ?? (await freePort());
    const args = topology === 'standalone' || options.replicas === undefined ? [] : ['--replicas', options.replicas];
    const child = spawn(process.execPath, [resolve(`dist/apps/${topology}/src/main.js`), ...args], {
      detached: true, // A process group of its own, so that a test can kill all of it.
      env: { ...process.env, PORT: String(port), TOLLWAY_DATA_DIR: dataDir, TOLLWAY_BOOTSTRAP_API_KEY: testKey, TOLLWAY_DEMO: 'off', ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const keep = (chunk: Buffer): void => void (said = (said + chunk.toString()).slice(-saidCharactersMax));
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const product = new Product(topology, `http://127.0.0.1:${port}`, dataDir, child, () => said);
    await product.ready();
    return product;
  }

  /** The processes of an app on the cluster, as they have said themselves: the last on each port. */
  processesOf(app: string): readonly { readonly pid: number; readonly port: number }[] {
    const said = this.output().matchAll(new RegExp(`^${app} is ready on http://[^:]+:(\\d+) \\(process (\\d+)\\)`, 'gm'));
    const pids = new Map([...said].map(([, port, pid]) => [Number(port), Number(pid)]));
    return [...pids].map(([port, pid]) => ({ pid, port }));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  private async ready(): Promise<void> {
    await eventually(`the product is ready; it said:\n${this.output()}`, async () => {
      if (this.child.exitCode !== null) throw new Error(`The product ended with ${this.child.exitCode}:\n${this.output()}`);
      const answer = await fetch(`${this.url}/readyz`).catch(() => null);
      return answer?.status === 200;
    }, startTimeoutMs[this.topology]);
  }

  async call<Body = Record<string, unknown>>(route: string, options: CallOptions = {}): Promise<Answer<Body>> {
    const [method = 'GET', path = '/'] = route.split(' ');
    const answer = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${options.key ?? testKey}`,
        ...(options.raw ? { 'content-type': options.raw.type } : options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.raw ? { body: options.raw.body as string } : options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    const text = await answer.text();
    const isJson = /json/.test(answer.headers.get('content-type') ?? '');
    return { status: answer.status, headers: answer.headers, body: (isJson && text !== '' ? JSON.parse(text) : text) as Body };
  }

  /** The same, where anything but the expected status is a failure of the test that shows the answer. */
  async expect<Body = Record<string, unknown>>(status: number, route: string, options: CallOptions = {}): Promise<Body> {
    const answer = await this.call<Body>(route, options);
    if (answer.status !== status) throw new Error(`${route} answered ${answer.status} instead of ${status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** What is different when each issued invoice of an organization is made again, or could not be; nothing, if all is well. The number of invoices comes first. */
  async verifyInvoices(options: Pick<CallOptions, 'key'> = {}): Promise<[number, ...unknown[]]> {
    const { data } = await this.expect<{ data: { id: string; status: string }[] }>(200, 'GET /v1/invoices?limit=100', options);
    const issued = data.filter(({ status }) => status !== 'draft');
    const faults = [];
    for (const { id } of issued) {
      const { differences, unchecked } = await this.expect<{ differences: unknown[]; unchecked: unknown[] }>(200, `GET /v1/invoices/${id}/verify`, options);
      faults.push(...differences, ...unchecked);
    }
    return [issued.length, ...faults];
  }

  /** SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => process.kill(-this.pid, 'SIGKILL'), stopTimeoutMs);
    await ended;
    clearTimeout(timer);
    return this.child.exitCode;
  }

  /** kill -9 of the Node process alone, or of it and all that it started. */
  async kill(what: 'process' | 'group'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    process.kill(what === 'group' ? -this.pid : this.pid, 'SIGKILL');
    await ended;
  }

  /** Stops it and removes its data. */
  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Polls until the condition holds; fails with the sentence when it does not in time. */
export async function eventually(sentence: string, isTrue: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (await isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`It did not happen within ${timeoutMs} ms that ${sentence}`);
}
