import type { JobsOptions } from 'bullmq';

import { assert } from '../errors/assert.js';
import { Fault } from '../errors/fault.js';
import { bullmqBackend } from './bullmq-backend.js';
import type { BullmqBackend, JobQueueStore, OpenQueue, OpenWorker } from './bullmq-backend.js';
import type { JobQueue, NewJob, WorkOptions } from './job-queue.js';

const ADDED_AT_ONCE_MAX = 500;
const DAY_SECONDS = 86_400;
/** A worker that dies again and again over one job is not that job's fault as long as deployments kill workers too. */
const STALLED_MAX = 10;

export interface JobQueueSettings {
  /** Runs of one job in all, before it is given up and kept as failed. */
  readonly attemptsMax: number;
  /** The wait before the second run; it doubles with each further one. */
  readonly retryDelayMs: number;
  /** How long a worker may give no sign before its job is taken over. */
  readonly lockDurationMs: number;
  readonly stalledIntervalMs: number;
  /** How long a call waits for the store: BullMQ itself waits for ever for a Redis that is away. What was added late does no harm. */
  readonly timeoutMs: number;
  /** Hears of each run that failed, and of a store that does not answer; `job` is the job's name where there is one. */
  readonly onError: (error: unknown, where: { readonly queue: string; readonly job?: string; readonly attempt?: number }) => void;
}

export type JobQueueOptions = JobQueueStore & Partial<JobQueueSettings>;

const DEFAULT_SETTINGS: JobQueueSettings = {
  attemptsMax: 8, // 1 + 2 + 4 + … + 64 s: about two minutes.
  retryDelayMs: 1_000,
  lockDurationMs: 20_000,
  stalledIntervalMs: 10_000,
  timeoutMs: 10_000,
  onError: (error, { queue }) => process.emitWarning(error instanceof Error ? error : String(error), { detail: `Job queue '${queue}'.` }),
};

/** The job queue on BullMQ. On Postgres its tables are made by `migrateJobQueue`. */
export function openJobQueue(options: JobQueueOptions): JobQueue {
  return new BullmqJobQueue(bullmqBackend(options), { ...DEFAULT_SETTINGS, ...options });
}

class BullmqJobQueue implements JobQueue {
  private readonly queues = new Map<string, OpenQueue>();
  private readonly workers = new Set<OpenWorker>();
  private closing: Promise<void> | undefined;

  constructor(
    private readonly backend: BullmqBackend,
    private readonly settings: JobQueueSettings,
  ) {}

  async add(queueName: string, jobs: readonly NewJob[]): Promise<void> {
    assert(this.closing === undefined, 'No job is added to a queue that is being closed.');
    const queue = this.queueOf(queueName);
    for (let from = 0; from < jobs.length; from += ADDED_AT_ONCE_MAX) {
      const some = jobs.slice(from, from + ADDED_AT_ONCE_MAX);
      await this.available(queueName, queue.addBulk(some.map((job) => ({ name: job.name, data: job.payload, opts: this.optionsOf(job) }))));
    }
  }

  async work({ queue, concurrency, handle }: WorkOptions): Promise<{ close(): Promise<void> }> {
    assert(this.closing === undefined, 'No work is taken from a queue that is being closed.');
    const { lockDurationMs, stalledIntervalMs, onError } = this.settings;
    const worker = this.backend.worker(queue, {
      process: ({ name, data, attemptsMade }) => handle({ name, payload: data, attempt: attemptsMade + 1 }),
      settings: { concurrency, lockDuration: lockDurationMs, stalledInterval: stalledIntervalMs, maxStalledCount: STALLED_MAX },
    });
    worker.on('error', (error) => onError(error, { queue }));
    worker.on('failed', (job, error) => onError(error, { queue, ...(job === undefined ? {} : { job: job.name, attempt: job.attemptsMade }) }));
    this.workers.add(worker);
    await this.available(queue, worker.waitUntilReady()).catch(async (fault: unknown) => {
      this.workers.delete(worker);
      await worker.close(true).catch(() => undefined); // It never worked; what matters is why.
      throw fault;
    });
    return {
      close: async () => {
        await worker.close();
        this.workers.delete(worker);
      },
    };
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    await Promise.all([...this.workers].map((worker) => worker.close()));
    await Promise.all([...this.queues.values()].map((queue) => queue.close()));
  }

  /** The answer of the store, or a Fault when it fails or does not come in time. */
  private async available<T>(queue: string, answer: Promise<T>): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`no answer within ${this.settings.timeoutMs} ms`)), this.settings.timeoutMs);
    try {
      return await Promise.race([answer, late]);
    } catch (cause) {
      const detail = `The job queue '${queue}' is not available: ${cause instanceof Error ? cause.message : String(cause)}`;
      throw new Fault({ code: 'queue_unavailable', detail, retryable: true, cause });
    } finally {
      clearTimeout(timer);
    }
  }

  private queueOf(name: string): OpenQueue {
    const known = this.queues.get(name);
    if (known !== undefined) return known;
    const queue = this.backend.queue(name, {});
    queue.on('error', (error) => this.settings.onError(error, { queue: name }));
    this.queues.set(name, queue);
    return queue;
  }

  private optionsOf({ deduplicationId, delayMs }: NewJob): JobsOptions {
    return {
      attempts: this.settings.attemptsMax,
      backoff: { type: 'exponential', delay: this.settings.retryDelayMs },
      // Kept for a look at what happened lately; the truth about what was done is elsewhere.
      removeOnComplete: { age: 3_600, count: 1_000 },
      removeOnFail: { age: 7 * DAY_SECONDS, count: 10_000 },
      // A fixed job id would lose the trigger that comes while the job runs; this one makes it run once more.
      ...(deduplicationId === undefined ? {} : { deduplication: { id: deduplicationId, keepLastIfActive: true } }),
      ...(delayMs === undefined ? {} : { delay: delayMs }),
    };
  }
}
