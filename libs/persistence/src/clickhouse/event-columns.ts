import { microsOfText, subjectBucket, toMicroInstant, type Verdict } from '#domain';
import { boolColumn, dateTimeSecondsMax, enumColumn, microsColumn, secondsColumn, textColumn, uint16Column, uint64Column, uint8Column, type NativeColumn } from './native-block.js';
import type { CountedEvent, JudgedCopy, StoredCopy } from './stored-copy.js';

// What the rows of `events` and `event_copies` are made of, a column at a time.

const shared = ['organization_id', 'event_type', 'subject', 'time', 'source', 'id', 'payload_hash', 'time_given', 'received_at', 'appended_at', 'partition', 'position'];
export const eventColumns = [...shared, 'bucket', 'data', 'original_data', 'version', 'is_deleted'];
export const copyColumns = [...shared, 'identity', 'verdict', 'data', 'keep_until'];

/** An event as a correction left it. */
export interface CorrectedRow extends CountedEvent {
  readonly version: bigint;
  readonly isDeleted: boolean;
}

/** The columns that both tables have, in both forms alike. */
export function sharedColumns(rows: readonly Omit<StoredCopy, 'identityHash' | 'data'>[]): NativeColumn[] {
  return [
    textColumn('organization_id', rows, ({ organizationId }) => organizationId),
    textColumn('event_type', rows, ({ type }) => type),
    textColumn('subject', rows, ({ subject }) => subject),
    microsColumn('time', rows, eachOnce(({ time }) => time, microsOfText)),
    textColumn('source', rows, ({ source }) => source),
    textColumn('id', rows, ({ id }) => id),
    textColumn('payload_hash', rows, ({ payloadHash }) => payloadHash),
    boolColumn('time_given', rows, ({ timeGiven }) => timeGiven),
    microsColumn('received_at', rows, eachOnce(({ receivedAt }) => receivedAt, microsOfText)),
    microsColumn('appended_at', rows, eachOnce(({ appendedAt }) => appendedAt, microsOfInstant)),
    uint16Column('partition', rows, ({ partition }) => partition),
    uint64Column('position', rows, ({ position }) => position),
  ];
}

/** Of counted copies, which no correction has touched. */
export function eventOnlyColumns(rows: readonly StoredCopy[], versionOf: (copy: StoredCopy) => bigint): NativeColumn[] {
  return [bucketColumn(rows), textColumn('data', rows, ({ data }) => data), uint64Column('version', rows, versionOf)];
}

export function correctedColumns(rows: readonly CorrectedRow[]): NativeColumn[] {
  return [
    bucketColumn(rows),
    textColumn('data', rows, ({ data }) => data),
    textColumn('original_data', rows, ({ originalData }) => originalData),
    uint64Column('version', rows, ({ version }) => version),
    uint8Column('is_deleted', rows, ({ isDeleted }) => (isDeleted ? 1 : 0)),
  ];
}

const verdicts: Readonly<Record<Verdict, number>> = { counted: 1, duplicate: 2, conflict: 3 };

export function copyOnlyColumns(rows: readonly JudgedCopy[], keepSecondsOf: (organizationId: string) => number): NativeColumn[] {
  const hasConflict = rows.some(({ verdict }) => verdict === 'conflict');
  const keepUntil = keepUntilSeconds(keepSecondsOf);
  return [
    uint64Column('identity', rows, ({ copy }) => copy.identityHash),
    enumColumn('verdict', rows, { byName: verdicts, nameOf: ({ verdict }) => verdict }),
    ...(hasConflict ? [textColumn<JudgedCopy>('data', rows, ({ copy, verdict }) => (verdict === 'conflict' ? copy.data : ''))] : []),
    secondsColumn('keep_until', rows, ({ copy }) => keepUntil(copy)),
  ];
}

function bucketColumn(rows: readonly { readonly subject: string }[]): NativeColumn {
  return uint8Column('bucket', rows, ({ subject }) => subjectBucket(subject));
}

const daySeconds = 86_400;

/** The end of the day on which a copy's row may go: the same for all copies of a day and a window, so that parts end as a whole. */
function keepUntilSeconds(keepSecondsOf: (organizationId: string) => number): (copy: StoredCopy) => number {
  const keep = new Map<string, number>();
  let last: { readonly receivedAt: string; readonly dayEnd: number } | null = null;
  return ({ receivedAt, organizationId }) => {
    if (last?.receivedAt !== receivedAt) last = { receivedAt, dayEnd: microsOfText(`${receivedAt.slice(0, 10)}T00:00:00.000000Z`) / 1_000_000 + daySeconds };
    let seconds = keep.get(organizationId);
    if (seconds === undefined) keep.set(organizationId, (seconds = keepSecondsOf(organizationId)));
    return Math.min(last.dayEnd + seconds, dateTimeSecondsMax);
  };
}

function microsOfInstant(instant: Temporal.Instant): number {
  const { seconds, micros } = toMicroInstant(instant);
  return seconds * 1_000_000 + micros;
}

/** What is made of a row's value. Rows of one request or append are neighbours and have the same one, so most need no making. */
function eachOnce<Row, Value extends string | Temporal.Instant>(valueOf: (row: Row) => Value, make: (value: Value) => number): (row: Row) => number {
  let last: Value | null = null;
  let made = 0;
  return (row) => {
    const value = valueOf(row);
    if (value !== last) [last, made] = [value, make(value)];
    return made;
  };
}
