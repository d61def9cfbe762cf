import type { Clock } from '../clock/clock.js';

export type CheckResult = 'ok' | 'failed';

/** Rejects where the dependency does not answer. */
export type DependencyCheck = () => Promise<void>;

interface Asked {
  readonly atMs: number;
  readonly result: Promise<CheckResult>;
  isRunning: boolean;
}

/** Whoever asks us (a front, a load balancer) gives up after two seconds or so. */
const answerMaxMs = 1_500;
const cacheMs = 1_000;

/** Whether what an app needs answers: each is asked at most once a second, and waited for within a bound however long it hangs. */
export class DependencyChecks {
  private readonly asked = new Map<string, Asked>();

  constructor(
    private readonly checks: Readonly<Record<string, DependencyCheck>>,
    private readonly clock: Clock,
  ) {}

  async results(): Promise<Record<string, CheckResult>> {
    return Object.fromEntries(await Promise.all(Object.keys(this.checks).map(async (name) => [name, await this.resultOf(name)] as const)));
  }

  private resultOf(name: string): Promise<CheckResult> {
    const before = this.asked.get(name);
    if (before !== undefined && Math.abs(this.nowMs() - before.atMs) < cacheMs) return before.result;
    // Who has not answered yet is not asked again: questions to a server that hangs would pile up.
    if (before?.isRunning === true) return Promise.resolve('failed');
    return this.ask(name);
  }

  private ask(name: string): Promise<CheckResult> {
    const waiting = new AbortController();
    const answer = Promise.try(this.checks[name] as DependencyCheck).then(() => 'ok' as const, () => 'failed' as const);
    const late = this.clock.sleep(answerMaxMs, waiting.signal).then(() => 'failed' as const, () => answer);
    const asked: Asked = { atMs: this.nowMs(), result: Promise.race([answer, late]), isRunning: true };
    void answer.then(() => {
      asked.isRunning = false;
      waiting.abort();
    });
    this.asked.set(name, asked);
    return asked.result;
  }

  private nowMs(): number {
    return this.clock.now().epochMilliseconds;
  }
}
