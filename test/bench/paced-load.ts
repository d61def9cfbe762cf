import { setTimeout as wait } from 'node:timers/promises';
import { HttpLoad, postRequest } from './http-load.ts';
import { benchKey } from './ingest-setting.ts';
import { usageEvents } from './usage-events.ts';

export interface PacedLoadOptions {
  readonly port: number;
  readonly eventsPerSecond: number;
  /** It stops by itself after so long. */
  readonly secondsMax: number;
  readonly prefix: string;
  readonly type: string;
  readonly subjects: number;
}

export interface PacedLoad {
  /** Events acknowledged so far. */
  readonly acknowledged: () => number;
  /** Sends no more, waits for what is on its way, and gives the rate that was reached. Throws where a request was refused. */
  stop(): Promise<{ readonly acknowledged: number; readonly eventsPerSecond: number }>;
}

const batchSize = 100;
const connections = 8;

/** Posts batches of 100 events at a steady rate. Where the product can't keep up, the load waits: the rate reached says so. */
export async function startPacedLoad(options: PacedLoadOptions): Promise<PacedLoad> {
  const load = await HttpLoad.open({ port: options.port, connections });
  const everyMs = (batchSize / options.eventsPerSecond) * 1_000;
  const batchesMax = Math.ceil((options.secondsMax * options.eventsPerSecond) / batchSize);
  const expected = { status: 202, body: `{"accepted":${batchSize},"rejected":[]}` };
  const startedAt = performance.now();
  let [next, done, isStopping] = [0, 0, false];
  let endedAt = startedAt;
  const send = async (worker: HttpLoad): Promise<void> => {
    while (!isStopping && next < batchesMax) {
      const nth = next;
      next += 1;
      const early = startedAt + nth * everyMs - performance.now();
      if (early > 0) await wait(early);
      const events = usageEvents({ count: batchSize, prefix: `${options.prefix}-${nth}`, type: options.type, subjects: options.subjects, from: Temporal.Now.instant() });
      await worker.sendAll([postRequest({ path: '/v1/events', key: benchKey, body: JSON.stringify(events) })], expected);
      done += 1;
      endedAt = performance.now();
    }
  };
  const running = Promise.all(load.perConnection().map(send));
  running.catch(() => (isStopping = true)); // Told by stop().
  return {
    acknowledged: () => done * batchSize,
    async stop() {
      isStopping = true;
      await running.finally(() => load.close());
      return { acknowledged: done * batchSize, eventsPerSecond: (done * batchSize * 1_000) / (endedAt - startedAt) };
    },
  };
}
