import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  decodeDeadLetterRecord, decodeInvoiceIssuedRecord, decodeUsageChangedRecord, decodeUsageRatedRecord, decodeUsageRecord, decodeUsageThresholdRecord, encodeUsageCorrectionRecord, encodeUsageEventRecord, RecordVersionUnknown, topics,
  usageEventKey, usageRecordVersionMax,
} from '#contracts';

// Goal: whatever stands in a log is read for ever. Method: one sample of each record version that was ever written, by hand or
// taken from a log, and never changed again; a new version adds a file.

interface Sample {
  readonly topic: string;
  readonly key: string;
  /** The record's text, byte for byte. */
  readonly value: string;
}

const folder = join(import.meta.dirname, 'log');
const samples = readdirSync(folder).map((name) => [name.replace('.json', ''), JSON.parse(readFileSync(join(folder, name), 'utf8')) as Sample] as const);
const decoders: Readonly<Record<string, (text: string) => { readonly v: number; readonly organization: string }>> = {
  [topics.usageEvents]: decodeUsageRecord,
  [topics.deadLetters]: decodeDeadLetterRecord,
  [topics.usageChanged]: decodeUsageChangedRecord,
  [topics.usageRated]: decodeUsageRatedRecord,
  [topics.usageThresholds]: decodeUsageThresholdRecord,
  [topics.invoiceIssued]: decodeInvoiceIssuedRecord,
};

function sampleOf(name: string): Sample {
  const found = samples.find(([each]) => each === name);
  if (found === undefined) throw new Error(`There is no sample ${name}.`);
  return found[1];
}

describe('records of the log', () => {
  it.each(samples)('%s decodes to what it says', (name, { topic, value }) => {
    const record = decoders[topic]?.(value);
    expect(record).toEqual(JSON.parse(value));
    expect(name).toMatch(new RegExp(`-v${record?.v}$`));
  });

  it('has a sample of each version of each topic', () => {
    const versions = (topic: string): number[] => samples.filter(([, sample]) => sample.topic === topic).map(([, { value }]) => (JSON.parse(value) as { v: number }).v).sort();
    expect(Object.fromEntries(Object.values(topics).map((topic) => [topic, versions(topic)]))).toEqual({
      [topics.usageEvents]: [1, 2, 2],
      [topics.deadLetters]: [1, 2],
      [topics.usageChanged]: [1],
      [topics.usageRated]: [1],
      [topics.usageThresholds]: [1],
      [topics.invoiceIssued]: [1],
    });
  });

  it.each(['usage-event-v1', 'usage-amendment-v2', 'usage-void-v2'])('keeps the key of %s, by which all that is said of an event meets', (name) => {
    const { key, value } = sampleOf(name);
    expect(usageEventKey(decodeUsageRecord(value))).toBe(key);
  });

  it.each(['usage-event-v1', 'usage-amendment-v2', 'usage-void-v2'])('writes %s as its sample has it', (name) => {
    const { value } = sampleOf(name);
    const record = decodeUsageRecord(value);
    expect(record.kind === 'event' ? encodeUsageEventRecord(record) : encodeUsageCorrectionRecord(record)).toBe(value);
  });

  it('stops at a record of a version that is not known yet', () => {
    const next = sampleOf('usage-void-v2').value.replace('"v":2', `"v":${usageRecordVersionMax + 1}`);
    expect(() => decodeUsageRecord(next)).toThrow(RecordVersionUnknown);
  });
});
