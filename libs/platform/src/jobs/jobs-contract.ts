import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { Job, JobQueue } from './job-queue.js';

/** What an adapter's spec brings along. */
export interface JobQueueFixture {
  /** Opens the queue as one process has it: five attempts, the second after `retryDelayMs`, dead workers noticed within about two seconds. */
  open(options: { readonly retryDelayMs: number }): Promise<JobQueue>;
  /** Starts a worker that takes one job, never ends it and gives no sign any more, as a killed process. */
  deadWorker(queue: string): Promise<{ readonly tookJob: Promise<void>; bury(): Promise<void> }>;
  close(): Promise<void>;
}

const ATTEMPTS_MAX = 5;
const DEADLINE_MS = 20_000;
let named = 0;

/** What every adapter of the job queue keeps. */
export function jobsContract(name: string, start: () => Promise<JobQueueFixture>): void {
  describe(`JobQueue: ${name}`, () => {
    let fixture: JobQueueFixture;
    const opened: JobQueue[] = [];
    const open = async (retryDelayMs = 20): Promise<JobQueue> => {
      const jobs = await fixture.open({ retryDelayMs });
      opened.push(jobs);
      return jobs;
    };
    beforeAll(async () => {
      fixture = await start();
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((jobs) => jobs.close()));
    });
    afterAll(() => fixture.close());
    running(open);
    waiting(open);
    retrying(open);
    thinningOut(open);
    thinningOutFailures(open);
    it('takes over the job of a worker that was killed', async () => {
      const jobs = await open();
      const queue = freshQueue();
      const dead = await fixture.deadWorker(queue);
      await jobs.add(queue, [{ name: 'orphan', payload: { nth: 1 } }]);
      await dead.tookJob;
      const runs: Job<unknown>[] = [];
      await jobs.work({ queue, concurrency: 1, handle: async (job) => void runs.push(job) });
      await until(() => runs.length >= 1);
      expect(runs).toMatchObject([{ name: 'orphan', payload: { nth: 1 } }]);
      await dead.bury();
    });
  });
}

type Open = (retryDelayMs?: number) => Promise<JobQueue>;

function running(open: Open): void {
  it('runs each job once, on whichever worker', async () => {
    const [one, other] = [await open(), await open()];
    const queue = freshQueue();
    const runs: Job<unknown>[] = [];
    const handle = async (job: Job<unknown>): Promise<void> => void runs.push(job);
    await one.work({ queue, concurrency: 4, handle });
    await other.work({ queue, concurrency: 4, handle });
    await one.add(queue, Array.from({ length: 600 }, (_, nth) => ({ name: `job-${nth % 3}`, payload: { nth } })));
    await one.add(queue, []);
    await until(() => runs.length >= 600);
    await Promise.all([one.close(), other.close()]);
    expect(new Set(runs.map(({ payload }) => (payload as { nth: number }).nth)).size).toBe(600);
    expect(runs).toHaveLength(600);
    expect(runs.every(({ name, payload, attempt }) => attempt === 1 && name === `job-${(payload as { nth: number }).nth % 3}`)).toBe(true);
  });

  it('runs at most as many at a time as it is told', async () => {
    const jobs = await open();
    const queue = freshQueue();
    let [atWork, most, done] = [0, 0, 0];
    await jobs.add(queue, Array.from({ length: 12 }, (_, nth) => ({ name: 'job', payload: { nth } })));
    await jobs.work({
      queue,
      concurrency: 3,
      handle: async () => {
        atWork += 1;
        most = Math.max(most, atWork);
        await new Promise((resolve) => setTimeout(resolve, 20));
        atWork -= 1;
        done += 1;
      },
    });
    await until(() => done >= 12);
    expect(most).toBe(3);
  });
}

function waiting(open: Open): void {
  it('holds a delayed job back', async () => {
    const jobs = await open();
    const queue = freshQueue();
    const order: string[] = [];
    const startedAt = performance.now();
    let delayedAt = 0;
    await jobs.add(queue, [
      { name: 'delayed', payload: {}, delayMs: 400 },
      { name: 'now', payload: {} },
    ]);
    await jobs.work({
      queue,
      concurrency: 1,
      handle: async ({ name }) => {
        order.push(name);
        if (name === 'delayed') delayedAt = performance.now();
      },
    });
    await until(() => order.length >= 2);
    expect(order).toEqual(['now', 'delayed']);
    expect(delayedAt - startedAt).toBeGreaterThanOrEqual(399);
  });

  it('lets the running job end before it closes, and takes no further one', async () => {
    const jobs = await open();
    const queue = freshQueue();
    const [entered, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const ended: string[] = [];
    await jobs.add(queue, ['first', 'second'].map((name) => ({ name, payload: {} })));
    const worker = await jobs.work({
      queue,
      concurrency: 1,
      handle: async ({ name }) => {
        entered.resolve();
        await gate.promise;
        ended.push(name);
      },
    });
    await entered.promise;
    const closed = worker.close().then(() => [...ended]);
    gate.resolve();
    expect(await closed).toEqual(['first']);
    await jobs.work({ queue, concurrency: 1, handle: async ({ name }) => void ended.push(name) });
    await until(() => ended.length >= 2);
    expect(ended).toEqual(['first', 'second']);
  });
}

function retrying(open: Open): void {
  it('tries a failing job again with growing delay, a bounded number of times', async () => {
    const jobs = await open(40);
    const queue = freshQueue();
    const runs: { readonly attempt: number; readonly atMs: number }[] = [];
    let others = 0;
    await jobs.work({
      queue,
      concurrency: 1,
      handle: async ({ name, attempt }) => {
        if (name === 'other') return void (others += 1);
        runs.push({ attempt, atMs: performance.now() });
        throw new Error('The job refuses on purpose.');
      },
    });
    await jobs.add(queue, [{ name: 'failing', payload: {} }, { name: 'other', payload: {} }]);
    await until(() => runs.length >= ATTEMPTS_MAX && others === 1);
    // Given up: what comes after it in the queue runs, and no further attempt appears within the next delay.
    await jobs.add(queue, [{ name: 'other', payload: {}, delayMs: 40 * 2 ** ATTEMPTS_MAX }]);
    await until(() => others === 2);
    expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
    const waits = runs.slice(1).map(({ atMs }, index) => atMs - (runs[index]?.atMs ?? 0));
    for (const [index, wait] of waits.entries()) expect(wait).toBeGreaterThanOrEqual(40 * 2 ** index - 2); // 40, 80, 160, 320 ms; timers round.
  });
}

function thinningOut(open: Open): void {
  it('drops a job while one with its id waits, and runs once more when one came while it ran', async () => {
    const jobs = await open();
    const queue = freshQueue();
    const runs: unknown[] = [];
    const [entered, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const rerate = (nth: number) => ({ name: 'rerate', payload: { nth }, deduplicationId: 'sub_1' });
    await jobs.add(queue, [rerate(1), rerate(2), { name: 'rerate', payload: { nth: 3 }, deduplicationId: 'sub_2' }]);
    await jobs.add(queue, [rerate(4)]);
    await jobs.work({
      queue,
      concurrency: 1,
      handle: async ({ payload }) => {
        runs.push((payload as { nth: number }).nth);
        if (runs.length > 1) return;
        entered.resolve();
        await gate.promise;
      },
    });
    await entered.promise;
    await jobs.add(queue, [rerate(5)]);
    await jobs.add(queue, [rerate(6), rerate(7)]);
    gate.resolve();
    await until(() => runs.length >= 3);
    await jobs.add(queue, [{ name: 'last', payload: { nth: 8 } }]);
    await until(() => runs.includes(8));
    expect(runs).toHaveLength(4); // sub_1, sub_2, sub_1 once more for the three that came meanwhile, and the last one.
    expect(runs[0]).toBe(1);
    expect(runs.filter((nth) => nth === 3)).toHaveLength(1);

    await jobs.add(queue, [rerate(9)]);
    await until(() => runs.includes(9)); // Nothing of the kind is left, so it counts again.
  });
}

function thinningOutFailures(open: Open): void {
  it('drops a job while one with its id waits for its next attempt', async () => {
    const jobs = await open(300);
    const queue = freshQueue();
    const runs: unknown[] = [];
    await jobs.work({
      queue,
      concurrency: 1,
      handle: async ({ name, payload, attempt }) => {
        runs.push([name, (payload as { nth: number }).nth, attempt]);
        if (runs.length === 1) throw new Error('The job refuses on purpose.');
      },
    });
    await jobs.add(queue, [{ name: 'rerate', payload: { nth: 1 }, deduplicationId: 'sub_1' }]);
    await until(() => runs.length === 1);
    await jobs.add(queue, [{ name: 'other', payload: { nth: 2 } }]);
    await until(() => runs.length === 2); // Behind the failed run, so that one is written down.
    await jobs.add(queue, [{ name: 'rerate', payload: { nth: 3 }, deduplicationId: 'sub_1' }]);
    await until(() => runs.length === 3);
    await jobs.add(queue, [{ name: 'last', payload: { nth: 4 } }]);
    await until(() => runs.length >= 4);
    expect(runs).toEqual([['rerate', 1, 1], ['other', 2, 1], ['rerate', 1, 2], ['last', 4, 1]]);
  });

  it('takes a job again after one with its id has failed for good', async () => {
    const jobs = await open(1);
    const queue = freshQueue();
    let [failures, successes] = [0, 0];
    await jobs.work({
      queue,
      concurrency: 1,
      handle: async ({ payload }) => {
        if ((payload as { good: boolean }).good) return void (successes += 1);
        failures += 1;
        throw new Error('The job refuses on purpose.');
      },
    });
    await jobs.add(queue, [{ name: 'rerate', payload: { good: false }, deduplicationId: 'sub_1' }]);
    await until(() => failures >= ATTEMPTS_MAX);
    // The last failure may still be being written down; a trigger that comes then is dropped or kept, one after it counts.
    await until(async () => {
      await jobs.add(queue, [{ name: 'rerate', payload: { good: true }, deduplicationId: 'sub_1' }]);
      return successes > 0;
    });
    expect(failures).toBe(ATTEMPTS_MAX);
  });
}

function freshQueue(): string {
  named += 1;
  return `contract-${process.pid}-${named}`;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(condition, { timeout: DEADLINE_MS, interval: 10 }).toBe(true);
}
