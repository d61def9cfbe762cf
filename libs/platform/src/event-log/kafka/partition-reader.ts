import type { Clock } from '../../clock/clock.js';
import type { LogRecord } from '../event-log.js';
import { RecordQueue } from './record-queue.js';
import type { Turns } from './turns.js';

export interface ReaderSettings {
  readonly clock: Clock;
  readonly batchSizeMax: number;
  /** A batch ends before it grows above this; its first record comes whatever its size. */
  readonly batchBytesMax: number;
  /** The first wait after a failure; it doubles up to `retryDelayMaxMs`. */
  readonly retryDelayMs: number;
  readonly retryDelayMaxMs: number;
}

export interface ReaderDuties {
  readonly handle: (records: readonly LogRecord[]) => Promise<void>;
  /** Makes `next` the first position that is not handled. `nextAppendedAt` where that record is known. */
  readonly commit: (next: bigint, nextAppendedAt: Temporal.Instant | undefined) => Promise<void>;
  /** The handler failed; the batch comes again. */
  readonly onHandlerError: (error: unknown) => void;
  /** The commit failed: this reader has ended. */
  readonly onCommitError: (error: unknown) => void;
  /** Records were committed and left the queue. */
  readonly onRoom: () => void;
}

/** Hands the records of one assigned partition to the handler, batch by batch, and commits each batch that was handled. */
export class PartitionReader {
  readonly queue: RecordQueue;
  private readonly end = new AbortController();
  private isLost = false;
  private working: Promise<void> | undefined;

  constructor(
    private readonly settings: ReaderSettings,
    private readonly duties: ReaderDuties,
    private readonly turns: Turns,
  ) {
    this.queue = new RecordQueue();
  }

  /** Takes records behind those it has. `after` is what must have ended before it hands out anything. */
  offer(records: readonly LogRecord[], after: Promise<void> = Promise.resolve()): void {
    if (this.end.signal.aborted) return;
    this.queue.push(records);
    this.working ??= this.work(after).finally(() => (this.working = undefined));
  }

  /** Lets the running batch end and be committed, and starts no other. Resolves then. */
  async finish(): Promise<void> {
    this.end.abort();
    await this.working;
  }

  /** The partition is not ours any more: the running batch may end, but moves no offset. Resolves when it has ended. */
  abandon(): Promise<void> {
    this.isLost = true;
    return this.finish();
  }

  private async work(after: Promise<void>): Promise<void> {
    await after;
    let failures = 0;
    while (!this.end.signal.aborted && this.queue.length > 0) {
      const records = this.queue.first({ recordsMax: this.settings.batchSizeMax, bytesMax: this.settings.batchBytesMax });
      const handled = await this.turns.take(() => this.handled(records));
      if (this.isLost || handled === 'not begun') return;
      if (handled === 'yes') {
        failures = 0;
        if (!(await this.committed(records))) return;
      } else {
        failures += 1;
        // Rejects only when it is to end.
        await this.settings.clock.sleep(this.delayAfter(failures), this.end.signal).catch(() => undefined);
      }
    }
  }

  private async handled(records: readonly LogRecord[]): Promise<'yes' | 'no' | 'not begun'> {
    if (this.end.signal.aborted) return 'not begun'; // While it waited for its turn.
    try {
      await this.duties.handle(records);
      return 'yes';
    } catch (error) {
      this.duties.onHandlerError(error);
      return 'no';
    }
  }

  private async committed(records: readonly LogRecord[]): Promise<boolean> {
    const last = records.at(-1) as LogRecord;
    try {
      await this.duties.commit(last.position + 1n, this.queue.at(records.length)?.appendedAt);
    } catch (error) {
      this.isLost = true;
      this.end.abort();
      this.duties.onCommitError(error);
      return false;
    }
    this.queue.drop(records.length);
    this.duties.onRoom();
    return true;
  }

  private delayAfter(failures: number): number {
    return Math.min(this.settings.retryDelayMs * 2 ** (failures - 1), this.settings.retryDelayMaxMs);
  }
}
