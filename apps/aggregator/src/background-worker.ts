import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Clock, Logger } from '#platform';

export interface BackgroundWork {
  /** Aborted when the app shuts down. */
  readonly look: (signal: AbortSignal) => Promise<unknown>;
  readonly lookEveryMs: number;
  /** What it means that a look failed. */
  readonly failure: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Looks for work, again and again, until the app shuts down. */
export class BackgroundWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopped = new AbortController();
  private working: Promise<void> = Promise.resolve();

  constructor(private readonly use: BackgroundWork) {}

  onApplicationBootstrap(): void {
    this.working = this.work();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped.abort();
    await this.working;
  }

  private async work(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      await this.use.look(this.stopped.signal).catch((error: unknown) => this.use.logger.warn({ err: error }, this.use.failure));
      await this.use.clock.sleep(this.use.lookEveryMs, this.stopped.signal).catch(() => undefined);
    }
  }
}
