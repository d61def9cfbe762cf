import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

// Starts the product as a user does, in processes of its own, so that a test can kill them.

export const testKey = 'tw_test_scenario_0123456789abcdef';

const startTimeoutMs = 60_000;
const stopTimeoutMs = 30_000;

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

export class Product {
  private constructor(
    readonly url: string,
    readonly dataDir: string,
    private readonly child: ChildProcess,
    readonly output: () => string,
  ) {}

  static async start(options: { dataDir?: string; port?: number; environment?: Record<string, string> } = {}): Promise<Product> {
    const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'tollway-scenario-'));
    const port = options.port ?? (await freePort());
    const child = spawn(process.execPath, ['--disable-warning=TimeoutNegativeWarning', resolve('dist/apps/standalone/src/main.js')], {
      detached: true, // A process group of its own, so that a test can kill all of it.
      env: { ...process.env, PORT: String(port), TOLLWAY_DATA_DIR: dataDir, TOLLWAY_BOOTSTRAP_API_KEY: testKey, TOLLWAY_DEMO: 'off', ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const keep = (chunk: Buffer): void => void (said = (said + chunk.toString()).slice(-100_000));
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const product = new Product(`http://127.0.0.1:${port}`, dataDir, child, () => said);
    await product.ready();
    return product;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  private async ready(): Promise<void> {
    await eventually(`the product is ready; it said:\n${this.output()}`, async () => {
      if (this.child.exitCode !== null) throw new Error(`The product ended with ${this.child.exitCode}:\n${this.output()}`);
      const answer = await fetch(`${this.url}/readyz`).catch(() => null);
      return answer?.status === 200;
    }, startTimeoutMs);
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

/** Polls until the condition holds; fails with the sentence when it does not in time. */
export async function eventually(sentence: string, isTrue: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (await isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`It did not happen within ${timeoutMs} ms that ${sentence}`);
}
