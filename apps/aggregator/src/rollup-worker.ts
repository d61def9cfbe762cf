import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Clock, Logger } from '#platform';
import type { BuildMeterRollups } from './build-meter-rollups.js';
import type { RecomputeRollups } from './recompute-rollups.js';

/** Keeps the rollups up to date: looks for new meters and due marks, again and again, until the app shuts down. */
export class RollupWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopped = new AbortController();
  private working: Promise<void> = Promise.resolve();

  constructor(
    private readonly use: { readonly build: BuildMeterRollups; readonly recompute: RecomputeRollups; readonly clock: Clock; readonly logger: Logger; readonly lookEveryMs: number },
  ) {}

  onApplicationBootstrap(): void {
    this.working = this.work();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped.abort();
    await this.working;
  }

  private async work(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      await this.look().catch((error: unknown) => this.use.logger.warn({ err: error }, 'Rollups could not be brought up to date; usage is read from raw events meanwhile.'));
      await this.use.clock.sleep(this.use.lookEveryMs, this.stopped.signal).catch(() => undefined);
    }
  }

  private async look(): Promise<void> {
    await this.use.build.execute();
    await this.use.recompute.execute();
  }
}
