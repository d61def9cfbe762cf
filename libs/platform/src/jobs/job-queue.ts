/** A job as its handler sees it. */
export interface Job<Payload> {
  readonly name: string;
  readonly payload: Payload;
  readonly attempt: number;
}

export interface NewJob {
  readonly name: string;
  readonly payload: object;
  /**
   * Thins out: while a job with this id waits, further ones are dropped; while it runs, one more run follows it.
   * The truth about what is left to do is in the database, never in the queue.
   */
  readonly deduplicationId?: string;
  readonly delayMs?: number;
}

export interface WorkOptions {
  readonly queue: string;
  readonly concurrency: number;
  readonly handle: (job: Job<unknown>) => Promise<void>;
}

/** Runs what is due. A job that fails is tried again with growing delay, a bounded number of times; a killed worker's job is taken over. */
export interface JobQueue {
  add(queue: string, jobs: readonly NewJob[]): Promise<void>;
  work(options: WorkOptions): Promise<{ close(): Promise<void> }>;
  close(): Promise<void>;
}
