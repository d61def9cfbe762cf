import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Histogram } from 'prom-client';
import { rateFinalSchema, rateOpenSchema, ratingQueue } from '#contracts';
import { assert, type Clock, type Job, type JobQueue, type Logger } from '#platform';
import type { RateFinalPeriods } from '../rate-final-periods.js';
import type { RateOpenPeriods } from '../rate-open-periods.js';
import type { SendDueRatings } from '../send-due-ratings.js';

const concurrency = 2;

/** Runs the rating queue, and looks at an interval for what has to be rated again. */
export class RatingWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopped = new AbortController();
  private worker: { close(): Promise<void> } | null = null;
  private looking: Promise<void> = Promise.resolve();

  constructor(
    private readonly use: {
      readonly jobs: JobQueue;
      readonly clock: Clock;
      readonly logger: Logger;
      readonly rateOpen: RateOpenPeriods;
      readonly rateFinal: RateFinalPeriods;
      readonly sendDue: SendDueRatings;
      readonly sendFacts: () => Promise<unknown>;
      readonly lookEveryMs: number;
      readonly jobSeconds?: Histogram<'kind'> | undefined;
    },
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.worker = await this.use.jobs.work({ queue: ratingQueue, concurrency, handle: (job) => this.handle(job) });
    this.looking = this.look();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped.abort();
    await this.looking;
    await this.worker?.close();
  }

  private async handle(job: Job<unknown>): Promise<void> {
    const done = this.use.jobSeconds?.startTimer({ kind: job.name });
    await this.rate(job);
    done?.();
  }

  private async rate(job: Job<unknown>): Promise<void> {
    if (job.name === 'rate-open') return this.use.rateOpen.execute(rateOpenSchema.parse(job.payload));
    assert(job.name === 'rate-final', `The rating queue has no job "${job.name}".`);
    return this.use.rateFinal.execute(rateFinalSchema.parse(job.payload));
  }

  private async look(): Promise<void> {
    const { clock, sendDue, sendFacts, logger, lookEveryMs } = this.use;
    while (!this.stopped.signal.aborted) {
      // What failed is looked for again: the marks are still there.
      await sendDue.execute().catch((error: unknown) => logger.warn({ err: error }, 'Looking for due ratings failed.'));
      await sendFacts().catch((error: unknown) => logger.warn({ err: error }, 'What was rated could not be told to the log yet.'));
      await clock.sleep(lookEveryMs, this.stopped.signal).catch(() => undefined);
    }
  }
}
