import type { Clock } from '#platform';
import { appNames, type AppName } from './route-table.js';

/** `away`: it does not answer. `alive`: it answers, and says that one of its stores does not. */
export type UpstreamState = 'ready' | 'alive' | 'away';

export interface Upstream {
  readonly url: string;
  state: UpstreamState;
}

const lookEveryMs = 500;
const lookTimeoutMs = 2_000;

/** The processes behind each app, and whether they answer. Requests go round those that are ready. */
export class Upstreams {
  private readonly upstreams: Readonly<Record<AppName, readonly Upstream[]>>;
  private readonly next: Record<AppName, number>;
  private readonly stopped = new AbortController();
  private looking: Promise<void> = Promise.resolve();

  constructor(
    urls: Readonly<Record<AppName, readonly string[]>>,
    private readonly clock: Clock,
  ) {
    this.upstreams = perApp((app) => urls[app].map((url) => ({ url, state: 'away' as const })));
    this.next = perApp(() => 0);
  }

  /** Looks at all of them once, and from then on until it is stopped. */
  async start(): Promise<void> {
    await this.look();
    this.looking = this.keepLooking();
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.looking;
  }

  /** The next one of the app; null where none answers. One that is not ready is better than none: it says why in its own words. */
  pick(app: AppName): Upstream | null {
    const all = this.upstreams[app];
    const best = (['ready', 'alive'] as const).map((state) => all.filter((upstream) => upstream.state === state)).find(({ length }) => length > 0);
    if (best === undefined) return null;
    this.next[app] = (this.next[app] + 1) % Number.MAX_SAFE_INTEGER;
    return best[this.next[app] % best.length] ?? null;
  }

  /** A request to it failed: it gets no other before it has answered a look, which it gets at once. */
  lost(upstream: Upstream): void {
    upstream.state = 'away';
    void this.lookAt(upstream);
  }

  of(app: AppName): readonly Readonly<Upstream>[] {
    return this.upstreams[app];
  }

  private async keepLooking(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      await this.clock.sleep(lookEveryMs, this.stopped.signal).catch(() => undefined);
      if (!this.stopped.signal.aborted) await this.look();
    }
  }

  private async look(): Promise<void> {
    await Promise.all(appNames.flatMap((app) => this.upstreams[app]).map((upstream) => this.lookAt(upstream)));
  }

  private async lookAt(upstream: Upstream): Promise<void> {
    upstream.state = await this.stateOf(upstream.url);
  }

  private async stateOf(url: string): Promise<UpstreamState> {
    try {
      const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.any([this.stopped.signal, AbortSignal.timeout(lookTimeoutMs)]) });
      await answer.arrayBuffer();
      return answer.ok ? 'ready' : 'alive';
    } catch {
      return 'away';
    }
  }
}

function perApp<T>(make: (app: AppName) => T): Record<AppName, T> {
  return Object.fromEntries(appNames.map((app) => [app, make(app)])) as Record<AppName, T>;
}
