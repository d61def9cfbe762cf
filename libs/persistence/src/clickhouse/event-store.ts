import { subjectBucket, type CorrectionKind, type Verdict } from '#domain';
import type { ClickHouse } from './clickhouse.js';
import { GroupedInserts, PartitionedRows } from './grouped-inserts.js';
import { timeText, timeTextOf } from './sql-builder.js';
import { tabText } from './tab-rows.js';

/** A copy of an event as it came out of the log, ready to be stored. */
export interface StoredCopy {
  readonly organizationId: string;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** RFC 3339, UTC, six digits. */
  readonly time: string;
  readonly timeGiven: boolean;
  readonly receivedAt: string;
  readonly appendedAt: Temporal.Instant;
  readonly payloadHash: string;
  readonly partition: number;
  readonly position: bigint;
  /** Stored form of data. */
  readonly data: string;
  /** 64 bits of the identity's hash. */
  readonly identityHash: bigint;
}

/** A counted event, whatever became of it. */
export interface CountedEvent extends Omit<StoredCopy, 'identityHash'> {
  /** Stored form of the data that it came with; `data` is what it has now. */
  readonly originalData: string;
}

/** What corrections make of a counted event. */
export interface EventOverride {
  readonly event: CountedEvent;
  readonly kind: CorrectionKind;
  /** Of the correction that decides. */
  readonly position: bigint;
  /** Stored form of an amendment's data; null where the event has its own. */
  readonly amendedData: string | null;
}

export interface JudgedCopy {
  readonly copy: StoredCopy;
  readonly verdict: Verdict;
}

const eventColumns = [
  'organization_id', 'event_type', 'bucket', 'subject', 'time', 'source', 'id', 'payload_hash', 'time_given', 'received_at', 'appended_at',
  'partition', 'position', 'data', 'original_data', 'version', 'is_deleted',
];
const copyColumns = [
  'organization_id', 'identity', 'partition', 'position', 'verdict', 'event_type', 'subject', 'source', 'id', 'time', 'time_given', 'received_at',
  'appended_at', 'payload_hash', 'data', 'keep_until',
];

/**
 * Versions of a row: rank, then place in the log. Of equal copies the one that came first stays, so its version is the
 * greatest. Above all copies stand amendments, the last one highest; above those voids, the first one highest.
 */
const firstVersion = (1n << 62n) - 1n;
const amendmentRank = 1n << 62n;
const voidRank = 1n << 63n;

/** Whether a row of events stands for what a correction made of it. */
export const isCorrectionSql = `version >= toUInt64('${amendmentRank}')`;
/** The position of the correction that decides such a row. */
export const correctionPositionSql = `if(version >= toUInt64('${voidRank}'), toUInt64('${voidRank + firstVersion}') - version, version - toUInt64('${amendmentRank}'))`;

/** Writes what the log brought. Writing the same again changes nothing. */
export class EventStore {
  private readonly events: GroupedInserts;
  private readonly copies: GroupedInserts;

  constructor(clickhouse: ClickHouse) {
    this.events = new GroupedInserts(clickhouse, { table: 'events', columns: eventColumns });
    this.copies = new GroupedInserts(clickhouse, { table: 'event_copies', columns: copyColumns });
  }

  /** The counted events, and what corrections make of these and earlier ones. */
  async insertEvents(copies: readonly StoredCopy[], overrides: readonly EventOverride[]): Promise<void> {
    const rows = new PartitionedRows();
    const appendedText = instantTexts();
    for (const copy of copies) rows.of(monthOf(copy)).add(copyEventRow(copy, appendedText(copy.appendedAt)));
    for (const override of overrides) rows.of(monthOf(override.event)).add(overrideRow(override, appendedText(override.event.appendedAt)));
    await this.events.insert(rows);
  }

  /**
   * The verdict of each position; written after the events, so that an identity is known only once its event is there.
   * `keepSecondsOf` says how long an organization's identities have to be recognised, in seconds from their receipt.
   */
  async insertCopies(judged: readonly JudgedCopy[], keepSecondsOf: (organizationId: string) => number): Promise<void> {
    const rows = new PartitionedRows();
    const [appendedText, keepUntil] = [instantTexts(), keepUntilDay()];
    for (const { copy, verdict } of judged) {
      const day = copy.receivedAt.slice(0, 10);
      const said = { verdict, appendedAt: appendedText(copy.appendedAt), keepUntil: keepUntil(day, keepSecondsOf(copy.organizationId)) };
      rows.of(day).add(copyRow(copy, said));
    }
    await this.copies.insert(rows);
  }
}

function monthOf(event: { readonly time: string }): string {
  return event.time.slice(0, 7);
}

function copyEventRow(copy: StoredCopy, appendedAt: string): string {
  return eventRow(copy, { appendedAt, data: copy.data, originalData: '', version: firstVersion - copy.position, isDeleted: false });
}

/** The key and the place in the log stay the event's own. A voided row keeps the data that it had. */
function overrideRow({ event, kind, position, amendedData }: EventOverride, appendedAt: string): string {
  return eventRow(event, {
    appendedAt,
    data: amendedData ?? event.originalData,
    originalData: amendedData === null ? '' : event.originalData,
    version: kind === 'void' ? voidRank + firstVersion - position : amendmentRank + position,
    isDeleted: kind === 'void',
  });
}

interface EventState {
  readonly appendedAt: string;
  readonly data: string;
  readonly originalData: string;
  readonly version: bigint;
  readonly isDeleted: boolean;
}

function eventRow(event: Omit<StoredCopy, 'identityHash' | 'data'>, state: EventState): string {
  const t = tabText;
  return (
    `${t(event.organizationId)}\t${t(event.type)}\t${subjectBucket(event.subject)}\t${t(event.subject)}\t${timeText(event.time)}\t${t(event.source)}\t${t(event.id)}\t` +
    `${t(event.payloadHash)}\t${event.timeGiven}\t${timeText(event.receivedAt)}\t${state.appendedAt}\t${event.partition}\t${event.position}\t${t(state.data)}\t` +
    `${t(state.originalData)}\t${state.version}\t${state.isDeleted ? 1 : 0}`
  );
}

function copyRow(copy: StoredCopy, said: { readonly verdict: Verdict; readonly appendedAt: string; readonly keepUntil: string }): string {
  const t = tabText;
  return (
    `${t(copy.organizationId)}\t${copy.identityHash}\t${copy.partition}\t${copy.position}\t${said.verdict}\t${t(copy.type)}\t${t(copy.subject)}\t${t(copy.source)}\t` +
    `${t(copy.id)}\t${timeText(copy.time)}\t${copy.timeGiven}\t${timeText(copy.receivedAt)}\t${said.appendedAt}\t${t(copy.payloadHash)}\t` +
    `${said.verdict === 'conflict' ? t(copy.data) : ''}\t${said.keepUntil}`
  );
}

/** Instants as they are inserted. What was appended together has one instant, so most are the same object as the one before. */
function instantTexts(): (instant: Temporal.Instant) => string {
  let last: Temporal.Instant | null = null;
  let text = '';
  return (instant) => {
    if (instant !== last) [last, text] = [instant, timeTextOf(instant)];
    return text;
  };
}

/** The end of the day on which a copy's row may go; the same for all copies of a day and a window. */
function keepUntilDay(): (day: string, keepSeconds: number) => string {
  const known = new Map<string, string>();
  return (day, keepSeconds) => {
    const key = `${day} ${keepSeconds}`;
    const until = known.get(key) ?? timeTextOf(Temporal.Instant.from(`${day}T00:00:00Z`).add({ seconds: keepSeconds + daySeconds })).slice(0, 19);
    known.set(key, until);
    return until;
  };
}

const daySeconds = 86_400;
