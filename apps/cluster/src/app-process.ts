import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Fault, type Clock } from '#platform';

export interface AppProcessOptions {
  /** For people: the app and, where there are several, which of them. */
  readonly name: string;
  /** The compiled file that runs it. */
  readonly script: string;
  readonly port: number;
  readonly host: string;
  readonly environment: Record<string, string | undefined>;
  readonly clock: Clock;
  readonly say: (sentence: string) => void;
}

const readyTimeoutMs = 60_000;
const readyLookMs = 50;
const stopTimeoutMs = 30_000;
const restartDelayMs = { first: 200, max: 5_000 };
/** A process that lived this long was sound: the next death starts from the first delay again. */
const soundAfterMs = 30_000;
const deathsCountedMax = 16;

/** One process of an app, started again whenever it dies, until it is stopped. */
export class AppProcess {
  private child: ChildProcess | null = null;
  private readonly stopped = new AbortController();
  private keeping: Promise<void> = Promise.resolve();

  constructor(private readonly options: AppProcessOptions) {}

  get url(): string {
    const { host, port } = this.options;
    return `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`;
  }

  start(): void {
    this.keeping = this.keepAlive();
  }

  /** Resolves when it answers and its stores do; throws when it does not in time. */
  async ready(): Promise<void> {
    const { clock, name } = this.options;
    const deadline = performance.now() + readyTimeoutMs;
    while (performance.now() < deadline) {
      if (this.stopped.signal.aborted) return;
      const answer = await fetch(`${this.url}/readyz`).catch(() => null);
      await answer?.arrayBuffer();
      if (answer?.ok === true) return;
      await clock.sleep(readyLookMs);
    }
    throw new Fault({ code: 'app_not_ready', detail: `${name} was not ready within ${readyTimeoutMs / 1_000} s.`, retryable: false });
  }

  /** Lets it end what it does. */
  async stop(): Promise<void> {
    this.stopped.abort();
    const timer = setTimeout(() => {
      this.options.say(`${this.options.name} did not end within ${stopTimeoutMs / 1_000} s and is killed.`);
      this.child?.kill('SIGKILL');
    }, stopTimeoutMs);
    this.child?.kill('SIGTERM');
    await this.keeping;
    clearTimeout(timer);
  }

  private async keepAlive(): Promise<void> {
    const { clock, name, say } = this.options;
    const { signal } = this.stopped;
    for (let deaths = 0; !signal.aborted; ) {
      const startedAt = performance.now();
      const how = await this.run();
      if (signal.aborted) return;
      if (performance.now() - startedAt > soundAfterMs) deaths = 0;
      const delayMs = Math.min(restartDelayMs.max, restartDelayMs.first * 2 ** deaths);
      deaths = Math.min(deaths + 1, deathsCountedMax);
      say(`${name} ended with ${how}; it is started again in ${delayMs} ms.`);
      await clock.sleep(delayMs, signal).catch(() => undefined);
    }
  }

  /** Resolves with how it ended. */
  private async run(): Promise<string> {
    const { script, port, host, environment } = this.options;
    const child = spawn(process.execPath, [script], {
      env: { ...environment, PORT: String(port), HOST: host },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'], // By the channel it knows that whoever started it is gone.
      detached: true, // Its own process group: Ctrl-C asks us, and we ask the apps in the right order.
    });
    this.child = child;
    const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    if (this.stopped.signal.aborted) child.kill('SIGTERM');
    const [code, killedBy] = await ended;
    return killedBy ?? `code ${code}`;
  }
}
