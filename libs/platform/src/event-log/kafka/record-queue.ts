import type { LogRecord } from '../event-log.js';

/** Dropped records are let go in blocks: taking them off the front one batch at a time would move the rest each time. */
const COMPACT_ABOVE = 1_024;

/** Records that were fetched and are not committed yet, in the order of their positions. */
export class RecordQueue {
  private records: (LogRecord | undefined)[] = [];
  private head = 0;
  private bytesHeld = 0;

  get length(): number {
    return this.records.length - this.head;
  }

  /** About: characters of keys and values. */
  get bytes(): number {
    return this.bytesHeld;
  }

  push(records: readonly LogRecord[]): void {
    for (const record of records) {
      this.records.push(record);
      this.bytesHeld += sizeOf(record);
    }
  }

  at(index: number): LogRecord | undefined {
    return this.records[this.head + index];
  }

  /** The first records that fit both bounds; the very first comes whatever its size. */
  first({ recordsMax, bytesMax }: { readonly recordsMax: number; readonly bytesMax: number }): LogRecord[] {
    const batch: LogRecord[] = [];
    let bytes = 0;
    for (let index = 0; index < Math.min(this.length, recordsMax); index += 1) {
      const record = this.at(index) as LogRecord;
      bytes += sizeOf(record);
      if (index > 0 && bytes > bytesMax) break;
      batch.push(record);
    }
    return batch;
  }

  drop(count: number): void {
    for (let index = 0; index < count; index += 1) {
      this.bytesHeld -= sizeOf(this.records[this.head + index] as LogRecord);
      this.records[this.head + index] = undefined;
    }
    this.head += count;
    if (this.head < COMPACT_ABOVE || this.head * 2 < this.records.length) return;
    this.records = this.records.slice(this.head);
    this.head = 0;
  }
}

function sizeOf({ key, value }: LogRecord): number {
  return key.length + value.length;
}
