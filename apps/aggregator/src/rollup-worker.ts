import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Clock, Logger } from '#platform';

export interface RollupWork {
  readonly look: () => Promise<unknown>;
  readonly lookEveryMs: number;
  /** What it means that a look failed. */
  readonly failure: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Looks for work on the rollups, again and again, until the app shuts down. */
export class RollupWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopped = new AbortController();
  private working: Promise<void> = Promise.resolve();

  constructor(private readonly use: RollupWork) {}

  onApplicationBootstrap(): void {
    this.working = this.work();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped.abort();
    await this.working;
  }

  private async work(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      await this.use.look().catch((error: unknown) => this.use.logger.warn({ err: error }, this.use.failure));
      await this.use.clock.sleep(this.use.lookEveryMs, this.stopped.signal).catch(() => undefined);
    }
  }
}
