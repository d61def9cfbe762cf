import { subjectBucket } from '#domain';
import type { Attachment } from '../postgres/billing-api/customer-tables.js';
import { microsOf } from './sql-builder.js';
import type { UsageSpan } from './usage-scan.js';

export interface SpanRange {
  readonly from: bigint;
  readonly to: bigint;
}

/** The part of an attachment that lies in the range; null where none does. */
export function spanOf(attachment: Attachment, range: SpanRange & { readonly ref: number; readonly ends: readonly bigint[] }): UsageSpan | null {
  const from = attachment.fromAt === null ? range.from : larger(range.from, microsOf(attachment.fromAt));
  const to = attachment.toAt === null ? range.to : smaller(range.to, microsOf(attachment.toAt));
  if (from >= to) return null;
  return { ref: range.ref, bucket: subjectBucket(attachment.subject), subject: attachment.subject, from, to, ends: range.ends };
}

/**
 * Spans of all subjects that have a customer at some time in the range; where they have none, the span's ref is 0, so
 * that each instant of such a subject lies in exactly one span. `attachments` stand in order of subject and time.
 */
export function spansWithGaps(attachments: readonly Attachment[], range: SpanRange & { readonly refOf: (customerId: string) => number }): UsageSpan[] {
  const spans: UsageSpan[] = [];
  const openUntil = new Map<string, bigint>();
  for (const attachment of attachments) {
    const span = spanOf(attachment, { ...range, ref: range.refOf(attachment.customerId), ends: [] });
    if (span === null) continue;
    const gapFrom = openUntil.get(span.subject) ?? range.from;
    if (gapFrom < span.from) spans.push({ ...span, ref: 0, from: gapFrom, to: span.from });
    spans.push(span);
    openUntil.set(span.subject, span.to);
  }
  for (const [subject, from] of openUntil) {
    if (from < range.to) spans.push({ ref: 0, bucket: subjectBucket(subject), subject, from, to: range.to, ends: [] });
  }
  return spans;
}

/** The hours of buckets that a span's edges or ends cut, except where the whole range begins or ends. */
export function cutCells(spans: readonly UsageSpan[], range: SpanRange): { hour: number; bucket: number }[] {
  const cells = new Map<number, { hour: number; bucket: number }>();
  for (const span of spans) {
    for (const instant of [span.from, span.to, ...span.ends]) {
      if (instant % hourMicros === 0n || instant <= range.from || instant >= range.to) continue;
      const cell = { hour: hourOf(instant), bucket: span.bucket };
      cells.set(cell.hour * 64 + cell.bucket, cell);
    }
  }
  return [...cells.values()];
}

export const hourMicros = 3_600_000_000n;

/** The hour that an instant lies in, in seconds since 1970. */
export function hourOf(micros: bigint): number {
  const rest = ((micros % hourMicros) + hourMicros) % hourMicros;
  return Number((micros - rest) / 1_000_000n);
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
