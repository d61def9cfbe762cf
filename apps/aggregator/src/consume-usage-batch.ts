import { encodeDeadLetterRecord, topics, usageChangedSubjectsMax, usageEventKey, type UsageChangedRecord } from '#contracts';
import { decideCopies, microsOfText, subjectBucket } from '#domain';
import type { Cell, CorrectionStore, Database, EventReader, EventStore, IdentityIndex, IndexedCopy, IndexedIdentities } from '#persistence';
import { Fault, type EventLog, type LogBatch, type Logger } from '#platform';
import type { CorrectCountedEvents } from './correct-counted-events.js';
import { conflictLetter, poisonLetter, type JudgedIncoming } from './dead-letters-of-batch.js';
import { decodeUsageBatch, type DecodedBatch, type IncomingCopy, type PoisonRecord } from './decode-usage-batch.js';
import type { DedupeWindows } from './dedupe-windows.js';
import type { BatchIdentities, KnownIdentities } from './known-identities.js';
import { MarkCells } from './mark-cells.js';

/** How often a record that the store refuses is tried alone before it goes to the dead letters. */
const lonelyTriesMax = 3;
/** A copy's row outlives its window by this, which is more than the log keeps records, so that also a consumer that lags judges by it. */
const keepMarginSeconds = 8 * 86_400;
/** Of an instant's text, up to its hour. */
const hourLength = 13;

interface Judgement {
  readonly decisions: JudgedIncoming[];
  readonly known: IndexedIdentities;
  readonly windowOf: (organizationId: string) => number;
}

type ChangedEvent = Pick<IncomingCopy, 'organizationId' | 'type' | 'subject' | 'time'>;

/**
 * Counts a batch of usage events and corrects earlier ones. Whatever fails, the whole batch comes again, and each step done twice is done once:
 * verdicts follow from positions, rows are replaced by equal ones, marks only grow.
 */
export class ConsumeUsageBatch {
  private readonly marks: MarkCells;

  constructor(
    private readonly use: {
      readonly database: Database;
      readonly log: EventLog;
      readonly events: EventStore;
      readonly corrections: CorrectionStore;
      readonly correct: CorrectCountedEvents;
      readonly reader: EventReader;
      readonly index: IdentityIndex;
      readonly identities: KnownIdentities;
      readonly windows: DedupeWindows;
      readonly logger: Logger;
    },
  ) {
    this.marks = new MarkCells(use.database);
  }

  async execute(batch: LogBatch): Promise<void> {
    try {
      await this.consume(batch, []);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'rows_refused') throw error;
      await this.isolate(batch, error);
    }
  }

  /** Poison never blocks: the batch is halved until the refused record stands alone. */
  private async isolate(batch: LogBatch, fault: Fault): Promise<void> {
    const [record] = batch.records;
    if (batch.records.length > 1) {
      const middle = Math.ceil(batch.records.length / 2);
      await this.execute({ ...batch, records: batch.records.slice(0, middle) });
      await this.execute({ ...batch, records: batch.records.slice(middle) });
      return;
    }
    for (let tries = 1; tries < lonelyTriesMax; tries += 1) {
      const isDone = await this.consume(batch, []).then(() => true, (error: unknown) => {
        if (error instanceof Fault && error.code === 'rows_refused') return false;
        throw error;
      });
      if (isDone) return;
    }
    if (record !== undefined) await this.consume({ ...batch, records: [] }, [{ record, reason: fault.message }]);
  }

  private async consume(batch: LogBatch, refused: readonly PoisonRecord[]): Promise<void> {
    const first = batch.records[0]?.position ?? refused[0]?.record.position ?? 0n;
    const decoded = decodeUsageBatch(batch);
    const identities = this.use.identities.open(batch.partition, first);
    const judged = await this.judge(decoded, { partition: batch.partition, identities });
    const counted = judged.decisions.filter(({ verdict }) => verdict === 'counted').map(({ copy }) => copy);
    const overrides = await this.use.correct.execute({ counted, corrections: decoded.corrections, known: judged.known, windowOf: judged.windowOf });
    const changed = [...counted, ...overrides.map(({ event }) => event)];
    const cells = cellsOf(changed);
    await this.marks.execute(cells);
    await this.use.corrections.insert(decoded.corrections);
    await this.use.events.insert({ judged: judged.decisions, overrides, keepSecondsOf: (organizationId) => judged.windowOf(organizationId) + keepMarginSeconds });
    // Again: a recompute between the two may have read the hour before its events were there.
    await this.marks.execute(cells);
    await this.bury(judged.decisions, { poison: [...decoded.poison, ...refused], partition: batch.partition });
    await this.tell(changed);
    identities.handled((batch.records.at(-1)?.position ?? first) + 1n);
  }

  /** One query tells all that is known of a batch's identities, corrections that wait for an event among it. */
  private async judge({ copies, corrections }: DecodedBatch, at: { partition: number; identities: BatchIdentities }): Promise<Judgement> {
    const wanted = [...copies.filter(({ identityHash }) => at.identities.mayBeKnown(identityHash)), ...corrections];
    const [known, windowOf] = await Promise.all([
      this.use.index.find(at.partition, wanted),
      this.use.windows.of(new Set([...copies, ...corrections].map(({ organizationId }) => organizationId))),
    ]);
    const copiesOf = Map.groupBy(known.copies, ({ organizationId, source, id }) => usageEventKey({ organization: organizationId, source, id }));
    for (const { identityHash } of [...copies, ...corrections]) at.identities.add(identityHash);
    return { decisions: decideCopies<IncomingCopy, IndexedCopy>(copies, { known: copiesOf, dedupeWindowSeconds: windowOf }), known, windowOf };
  }

  /** Conflicts and poison go to the dead letters, through the log like everything else. */
  private async bury(decisions: readonly JudgedIncoming[], rest: { poison: readonly PoisonRecord[]; partition: number }): Promise<void> {
    const conflicts = decisions.filter(({ verdict }) => verdict === 'conflict');
    if (conflicts.length === 0 && rest.poison.length === 0) return;
    const counted = await this.countedData(conflicts);
    const letters = [
      ...conflicts.map((conflict) => conflictLetter(conflict, counted.get(conflict.copy.organizationId) ?? new Map())),
      ...rest.poison.map((poison) => poisonLetter(poison, rest.partition)),
    ];
    for (const { record, reason } of rest.poison) {
      this.use.logger.error({ partition: rest.partition, position: record.position.toString(), reason }, 'A usage event could not be handled and went to the dead letters.');
    }
    await this.use.log.append(topics.deadLetters, letters.map((letter) => ({ key: letter.organization, value: encodeDeadLetterRecord(letter) })));
  }

  /** The data that counted events of earlier batches came with, by organization, then `payloadKey`. */
  private async countedData(conflicts: readonly JudgedIncoming[]): Promise<Map<string, ReadonlyMap<string, string>>> {
    const stored = conflicts.flatMap(({ counted }) => (counted !== null && !('data' in counted) ? [counted] : []));
    const found = new Map<string, ReadonlyMap<string, string>>();
    for (const [organizationId, copies] of Map.groupBy(stored, (copy) => copy.organizationId)) {
      found.set(organizationId, await this.use.reader.findCounted(organizationId, copies));
    }
    return found;
  }

  /** Whose usage changed, for those who rate it. */
  private async tell(changed: readonly ChangedEvent[]): Promise<void> {
    const changes = [...Map.groupBy(changed, ({ organizationId }) => organizationId)].map(([organization, events]): UsageChangedRecord => {
      const subjects = new Set(events.map(({ subject }) => subject));
      return {
        v: 1,
        organization,
        event_types: [...new Set(events.map(({ type }) => type))],
        subjects: subjects.size > usageChangedSubjectsMax ? null : [...subjects],
        earliest: events.reduce((earliest, { time }) => (time < earliest ? time : earliest), events[0]?.time ?? ''),
      };
    });
    if (changes.length > 0) await this.use.log.append(topics.usageChanged, changes.map((change) => ({ key: change.organization, value: JSON.stringify(change) })));
  }
}

function cellsOf(events: readonly ChangedEvent[]): Cell[] {
  const cells = new Map<string, Cell>();
  let place: { organizationId: string; type: string; hourText: string; hour: number; buckets: Set<number> } | null = null;
  for (const { organizationId, type, time, subject } of events) {
    // Neighbours mostly share all but the bucket.
    if (place === null || place.organizationId !== organizationId || place.type !== type || !time.startsWith(place.hourText)) {
      place = { organizationId, type, ...hourOf(time), buckets: new Set() };
    }
    const bucket = subjectBucket(subject);
    if (place.buckets.has(bucket)) continue;
    place.buckets.add(bucket);
    cells.set(`${bucket} ${place.hour} ${organizationId} ${type}`, { organizationId, eventType: type, hour: place.hour, bucket }); // None but the type, which is last, has a blank.
  }
  return [...cells.values()];
}

function hourOf(time: string): { hourText: string; hour: number } {
  const hourText = time.slice(0, hourLength);
  return { hourText, hour: microsOfText(`${hourText}:00:00.000000Z`) / 1_000_000 };
}
