import { Gauge, type Metric } from 'prom-client';
import type { Clock, EventLog, PartitionLag } from '#platform';

/** Who reads which topics of the log in one process. */
export interface LogReader {
  readonly log: Pick<EventLog, 'lagByPartition'>;
  readonly group: string;
  readonly topics: readonly string[];
}

interface PlacedLag extends PartitionLag {
  readonly topic: string;
  readonly group: string;
}

const answerMaxMs = 3_000;
/** Both gauges of one scrape share an answer. */
const cacheMs = 500;
const labelNames = ['topic', 'partition', 'group'];

/**
 * How far each group of this process is behind, by partition, whichever process of its app reads the partition. The log is asked
 * when the metrics are read; where it does not answer in time they say nothing, and `tollway_dependency_up` says why.
 */
export function logMetrics(readers: readonly LogReader[], clock: Clock): Metric[] {
  const lags = sharedAnswer(clock, () => readLags(readers));
  const records = new Gauge({
    name: 'tollway_log_lag_records', help: 'Records appended and not yet handled by the group.', labelNames, registers: [],
    async collect() {
      this.reset();
      for (const lag of await lags()) this.set(labelsOf(lag), Number(lag.records));
    },
  });
  const seconds = new Gauge({
    name: 'tollway_log_lag_seconds', help: 'Age of the oldest record that the group has not handled, from its append; 0 where there is none.', labelNames, registers: [],
    async collect() {
      this.reset();
      const found = await lags();
      const now = clock.now();
      for (const lag of found) this.set(labelsOf(lag), lag.oldestAt === null ? 0 : Math.max(0, lag.oldestAt.until(now).total('seconds')));
    },
  });
  return [records, seconds];
}

function labelsOf({ topic, partition, group }: PlacedLag): Record<'topic' | 'partition' | 'group', string> {
  return { topic, partition: String(partition), group };
}

async function readLags(readers: readonly LogReader[]): Promise<PlacedLag[]> {
  const questions = readers.flatMap(({ log, group, topics }) => topics.map(async (topic) => (await log.lagByPartition({ topic, group })).map((lag) => ({ ...lag, topic, group }))));
  const answers = await Promise.all(questions.map((question) => question.catch(() => [])));
  return answers.flat();
}

function sharedAnswer(clock: Clock, ask: () => Promise<PlacedLag[]>): () => Promise<PlacedLag[]> {
  let last: { readonly atMs: number; readonly answer: Promise<PlacedLag[]> } | null = null;
  return () => {
    const nowMs = clock.now().epochMilliseconds;
    if (last === null || Math.abs(nowMs - last.atMs) > cacheMs) last = { atMs: nowMs, answer: inTime(clock, ask()) };
    return last.answer;
  };
}

async function inTime(clock: Clock, answer: Promise<PlacedLag[]>): Promise<PlacedLag[]> {
  const waiting = new AbortController();
  const late = clock.sleep(answerMaxMs, waiting.signal).then(() => [], () => []);
  return Promise.race([answer, late]).finally(() => waiting.abort());
}
