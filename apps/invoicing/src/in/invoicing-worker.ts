import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { invoicingQueue, pushOutboxJob, sweepJob } from '#contracts';
import { assert, type Clock, type Job, type JobQueue, type Logger } from '#platform';
import type { PushOutbox } from '../push-outbox.js';
import type { SweepDue } from '../sweep-due.js';

const concurrency = 2;

export interface InvoicingWorkerUse {
  readonly jobs: JobQueue;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sweepDue: SweepDue;
  readonly pushOutbox: PushOutbox;
  readonly sendFacts: () => Promise<unknown>;
  readonly sweepEveryMs: number;
}

/** Looks for what is due: at once when someone says so, and at an interval, since time passes without saying so. */
export class InvoicingWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopped = new AbortController();
  private worker: { close(): Promise<void> } | null = null;
  private loops: Promise<unknown> = Promise.resolve();

  constructor(private readonly use: InvoicingWorkerUse) {}

  async onApplicationBootstrap(): Promise<void> {
    this.worker = await this.use.jobs.work({ queue: invoicingQueue, concurrency, handle: (job) => this.handle(job) });
    this.loops = Promise.all([this.repeat(() => this.use.sweepDue.execute()), this.repeat(() => this.use.pushOutbox.execute()), this.repeat(this.use.sendFacts)]);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped.abort();
    await this.loops;
    await this.worker?.close();
  }

  private async handle(job: Job<unknown>): Promise<void> {
    if (job.name === sweepJob.name) {
      await this.use.sweepDue.execute();
      return;
    }
    assert(job.name === pushOutboxJob.name, `The invoicing queue has no job "${job.name}".`);
    await this.use.pushOutbox.execute();
  }

  private async repeat(work: () => Promise<unknown>): Promise<void> {
    const { clock, logger, sweepEveryMs } = this.use;
    while (!this.stopped.signal.aborted) {
      // What failed stays due and is found again.
      await work().catch((error: unknown) => logger.warn({ err: error }, 'A look at what is due failed.'));
      await clock.sleep(sweepEveryMs, this.stopped.signal).catch(() => undefined);
    }
  }
}
