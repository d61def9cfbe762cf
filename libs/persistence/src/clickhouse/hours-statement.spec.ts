import { describe, expect, it } from 'vitest';
import { meterParts, type Meter } from '#domain';
import { hoursStatement, toScanRow } from './hours-statement.js';
import { microsOf } from './sql-builder.js';
import type { ScanPart, UsageScan } from './usage-scan.js';
import { hourWindowSql } from './window-sql.js';

// Goal: only what whole, clean hours of one version answer is asked straight of the rollups. Method: one scan of which that is true, and what makes it
// untrue, one thing at a time. What it answers is compared with raw events by the aggregator's specs, which ask everything before and after rollups are built.

const meter: Meter = { id: 'mtr_1', organizationId: 'org_1', key: 'bytes', eventType: 'request', aggregation: 'sum', valuePath: '$.bytes', percentile: null, groupBy: { route: '$.route' }, filter: null };
const micros = (text: string): bigint => microsOf(Temporal.Instant.from(text));
const from = micros('2026-06-01T00:00:00Z');
const to = micros('2026-06-03T00:00:00Z');
const part: ScanPart = { meter: meterParts(meter)[0] ?? fail(), from, to, raw: { kind: 'some', hours: [], cells: [] } };
const scan: UsageScan = {
  meter, from, to, parts: [part], spans: null, keepsRest: false, subjects: [{ name: `o'hara\\`, bucket: 7 }], window: '0', hourWindow: 'toUnixTimestamp(hour)',
  dimensions: ['route'], groupsBySubject: false, filters: [], ranking: null, isCumulative: false, before: null, rowsMax: 10,
};

describe('what whole, clean hours answer', () => {
  it('is asked of the rollups, before versions of a row are told apart, with texts that stay texts', () => {
    expect(hoursStatement(scan)?.sql).toContain(
      `FROM usage_rollups FINAL PREWHERE organization_id = 'org_1' AND meter_id = 'mtr_1' AND bucket IN (7) AND subject IN ('o\\'hara\\\\') AND hour >= 1780272000 AND hour < 1780444800`,
    );
    expect(hoursStatement(scan)?.parameters).toBeUndefined();
  });

  it.each<[string, Partial<UsageScan>]>([
    ['an hour is read raw', { parts: [{ ...part, raw: { kind: 'some', hours: [1_780_272_000], cells: [] } }] }],
    ['an hour of a bucket is read raw', { parts: [{ ...part, raw: { kind: 'some', hours: [], cells: [{ hour: 1_780_272_000, bucket: 7 }] } }] }],
    ['everything is read raw', { parts: [{ ...part, raw: { kind: 'all' } }] }],
    ['the meter counted otherwise before', { parts: [{ ...part, to: micros('2026-06-02T00:00:00Z') }, { ...part, from: micros('2026-06-02T00:00:00Z') }] }],
    ['the range begins within an hour', { parts: [{ ...part, from: from + 1n }] }],
    ['the range ends within an hour', { parts: [{ ...part, to: to - 1n }] }],
    ['windows cut hours', { hourWindow: null }],
    ['subjects have spans of their own', { spans: [{ ref: 0, bucket: 7, subject: 's', from, to, ends: [] }] }],
    ['groups are ranked', { ranking: { order: 'greatest_first', groupsMax: 1, hasWindows: false } }],
    ['windows are added up', { isCumulative: true }],
    ['values are brought along', { before: [] }],
  ])('is not what is asked where %s', (_, otherwise) => {
    expect(hoursStatement(scan)).not.toBeNull();
    expect(hoursStatement({ ...scan, ...otherwise })).toBeNull();
  });
});

describe('the window of an hour', () => {
  const instant = (text: string): Temporal.Instant => Temporal.Instant.from(text);
  it.each([
    ['the whole', { kind: 'whole' as const }, 'toUInt32(1780272000)'],
    ['hours', { kind: 'even' as const, origin: instant('2026-06-01T00:00:00Z'), widthSeconds: 3_600 }, 'toUnixTimestamp(hour)'],
    ['hours of Kolkata', { kind: 'even' as const, origin: instant('2026-05-31T23:30:00Z'), widthSeconds: 3_600 }, null],
    ['minutes', { kind: 'even' as const, origin: instant('2026-06-01T00:00:00Z'), widthSeconds: 60 }, null],
    ['days', { kind: 'listed' as const, starts: [instant('2026-06-01T00:00:00Z'), instant('2026-06-02T00:00:00Z')] }, 'roundDown(toUnixTimestamp(hour), [1780272000, 1780358400])'],
    ['days of Kolkata', { kind: 'listed' as const, starts: [instant('2026-06-01T00:00:00Z'), instant('2026-06-01T18:30:00Z')] }, null],
  ])('%s', (_, windows, expected) => {
    expect(hourWindowSql(windows, from)).toBe(expected);
  });

  it('of a range that begins within an hour is that of no whole hour', () => {
    expect(hourWindowSql({ kind: 'whole' }, from + 1n)).toBeNull();
  });

  it('is told in microseconds, as by the other statement', () => {
    expect(toScanRow({ window_second: 1_780_272_000, events: 3, value: '1.5' })).toEqual({ ref: 0, window_key: String(from), subject: '', groups: [], events_text: '3', value: '1.5', place: '0', groups_total: '0' });
  });
});

function fail(): never {
  throw new Error('A meter has a version.');
}
