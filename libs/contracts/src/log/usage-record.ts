import { scanUsageEventRecord } from './scan-usage-event.js';
import { checkUsageCorrectionRecord, type UsageCorrectionRecord } from './usage-correction-record.js';
import { checkUsageEventRecord, type UsageEventRecord } from './usage-event-record.js';

/** The highest version that may stand in `tollway.usage-events`. Each kind is written in the version that it came with. */
export const usageRecordVersionMax = 2;

export type UsageRecord = UsageEventRecord | UsageCorrectionRecord;

/** A record of a version that this build does not know. The consumer stops at it: neither skipped nor dead-lettered. */
export class RecordVersionUnknown extends Error {
  constructor(readonly version: unknown) {
    super(`A record has version ${String(version)}; this build reads up to ${usageRecordVersionMax}. Upgrade this service before it goes on.`);
    this.name = 'RecordVersionUnknown';
  }
}

/** Throws RecordVersionUnknown for a newer version and SyntaxError or TypeError for what is no record of this topic. */
export function decodeUsageRecord(text: string): UsageRecord {
  const scanned = scanUsageEventRecord(text); // Nearly always.
  if (scanned !== null) return scanned;
  const value = JSON.parse(text) as Partial<UsageRecord> | null;
  if (value === null || typeof value !== 'object') throw new TypeError('The record is no JSON object.');
  if (value.v === 1) return checkUsageEventRecord(value);
  if (value.v === 2) return checkUsageCorrectionRecord(value);
  if (typeof value.v === 'number' && (value.v as number) > usageRecordVersionMax) throw new RecordVersionUnknown(value.v);
  throw new TypeError('The record has no known version.');
}

/** Of an event only. */
export function decodeUsageEventRecord(text: string): UsageEventRecord {
  const record = decodeUsageRecord(text);
  if (record.kind !== 'event') throw new TypeError('The record is no usage event.');
  return record;
}
