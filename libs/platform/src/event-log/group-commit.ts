import { assert } from '../errors/assert.js';
import { Fault } from '../errors/fault.js';

export interface GroupCommitBounds {
  /** A flush takes calls until one of these two is reached; a single call above them is flushed alone. */
  readonly flushRecordsMax: number;
  readonly flushBytesMax: number;
  /** What may wait while a flush is in flight. A call that does not fit is refused with `log_overloaded`. */
  readonly pendingRecordsMax: number;
  readonly pendingBytesMax: number;
}

/** What one caller wants to have written, all or nothing. */
export interface Call {
  readonly records: number;
  readonly bytes: number;
}

interface Pending<C, R> {
  readonly call: C;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes the calls of many callers in few transactions. It flushes at once when idle and collects while one flush is in
 * flight: a second flush beside the first made it slower, and a fixed waiting time only adds latency.
 */
export class GroupCommit<C extends Call, R> {
  private readonly pending: Pending<C, R>[] = [];
  private pendingRecords = 0;
  private pendingBytes = 0;
  private flushing: Promise<void> | undefined;

  /** `flush` writes all calls or none and gives one result per call. */
  constructor(
    private readonly flush: (calls: readonly C[]) => Promise<readonly R[]>,
    private readonly bounds: GroupCommitBounds,
  ) {}

  /** Resolves once the call is durable. */
  write(call: C): Promise<R> {
    if (!this.fits(call)) {
      return Promise.reject(new Fault({ code: 'log_overloaded', detail: 'The event log cannot take more at the moment.', retryable: true }));
    }
    return new Promise<R>((resolve, reject) => {
      this.pending.push({ call, resolve, reject });
      this.pendingRecords += call.records;
      this.pendingBytes += call.bytes;
      this.flushing ??= this.flushAll();
    });
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    while (this.flushing !== undefined) await this.flushing;
  }

  private fits(call: Call): boolean {
    if (this.pending.length === 0) return true;
    const { pendingRecordsMax, pendingBytesMax } = this.bounds;
    return this.pendingRecords + call.records <= pendingRecordsMax && this.pendingBytes + call.bytes <= pendingBytesMax;
  }

  private async flushAll(): Promise<void> {
    // One turn of the event loop, so that callers woken by the same burst of input share a flush.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.pending.length > 0) await this.flushGroup(this.takeGroup());
    this.flushing = undefined;
  }

  private takeGroup(): Pending<C, R>[] {
    let records = 0;
    let bytes = 0;
    let taken = 0;
    for (const { call } of this.pending) {
      const isFull = records + call.records > this.bounds.flushRecordsMax || bytes + call.bytes > this.bounds.flushBytesMax;
      if (taken > 0 && isFull) break;
      records += call.records;
      bytes += call.bytes;
      taken += 1;
    }
    this.pendingRecords -= records;
    this.pendingBytes -= bytes;
    return this.pending.splice(0, taken);
  }

  private async flushGroup(group: readonly Pending<C, R>[]): Promise<void> {
    try {
      const results = await this.flush(group.map(({ call }) => call));
      assert(results.length === group.length, 'A flush must give one result per call.');
      for (const [index, { resolve }] of group.entries()) resolve(results[index] as R);
    } catch (error) {
      // A store that is away fails each call; what it refuses may be the fault of one call, which must not hurt its neighbours.
      if (group.length === 1 || (error instanceof Fault && error.retryable)) {
        for (const { reject } of group) reject(error);
        return;
      }
      for (const pending of group) await this.flushGroup([pending]);
    }
  }
}
