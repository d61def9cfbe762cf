import { encodeDeadLetterRecord, topics, usageChangedSubjectsMax, usageEventKey, type UsageChangedRecord } from '#contracts';
import { decideCopies, subjectBucket } from '#domain';
import { bumpMarks, type Cell, type Database, type EventReader, type EventStore, type IdentityIndex, type IndexedCopy } from '#persistence';
import { Fault, type EventLog, type LogBatch, type Logger } from '#platform';
import { conflictLetter, poisonLetter, type JudgedIncoming } from './dead-letters-of-batch.js';
import { decodeUsageBatch, type IncomingCopy, type PoisonRecord } from './decode-usage-batch.js';
import type { DedupeWindows } from './dedupe-windows.js';
import type { BatchIdentities, KnownIdentities } from './known-identities.js';

/** How often a record that the store refuses is tried alone before it goes to the dead letters. */
const lonelyTriesMax = 3;
/** A copy's row outlives its window by this, which is more than the log keeps records, so that also a consumer that lags judges by it. */
const keepMarginSeconds = 8 * 86_400;
const secondsPerHour = 3_600;

/**
 * Counts a batch of usage events. Whatever fails, the whole batch comes again, and each step done twice is done once:
 * verdicts follow from positions, rows are replaced by equal ones, marks only grow.
 */
export class ConsumeUsageBatch {
  constructor(
    private readonly use: {
      readonly database: Database;
      readonly log: EventLog;
      readonly events: EventStore;
      readonly reader: EventReader;
      readonly index: IdentityIndex;
      readonly identities: KnownIdentities;
      readonly windows: DedupeWindows;
      readonly logger: Logger;
    },
  ) {}

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
    const { copies, poison } = decodeUsageBatch(batch);
    const identities = this.use.identities.open(batch.partition, first);
    const judged = await this.judge(copies, { partition: batch.partition, identities });
    const counted = judged.decisions.filter(({ verdict }) => verdict === 'counted').map(({ copy }) => copy);
    const cells = cellsOf(counted);
    await this.use.database.acrossOrganizations((manager) => bumpMarks(manager, cells));
    await this.use.events.insertEvents(counted);
    await this.use.events.insertCopies(
      judged.decisions.map(({ copy, verdict }) => ({ copy, verdict, keepSeconds: judged.windowOf(copy.organizationId) + keepMarginSeconds })),
    );
    // Again: a recompute between the two may have read the hour before its events were there.
    await this.use.database.acrossOrganizations((manager) => bumpMarks(manager, cells));
    await this.bury(judged.decisions, { poison: [...poison, ...refused], partition: batch.partition });
    await this.tell(counted);
    identities.handled((batch.records.at(-1)?.position ?? first) + 1n);
  }

  private async judge(copies: readonly IncomingCopy[], at: { partition: number; identities: BatchIdentities }): Promise<{ decisions: JudgedIncoming[]; windowOf: (organizationId: string) => number }> {
    const wanted = copies.filter(({ identityHash }) => at.identities.mayBeKnown(identityHash));
    const [found, windowOf] = await Promise.all([
      this.use.index.find(at.partition, wanted),
      this.use.windows.of(new Set(copies.map(({ organizationId }) => organizationId))),
    ]);
    const known = Map.groupBy(found, ({ organizationId, source, id }) => usageEventKey({ organization: organizationId, source, id }));
    for (const { identityHash } of copies) at.identities.add(identityHash);
    return { decisions: decideCopies<IncomingCopy, IndexedCopy>(copies, { known, dedupeWindowSeconds: windowOf }), windowOf };
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

  /** The data of counted events that earlier batches stored, by organization, then source and id. */
  private async countedData(conflicts: readonly JudgedIncoming[]): Promise<Map<string, ReadonlyMap<string, string>>> {
    const stored = conflicts.flatMap(({ counted }) => (counted !== null && !('data' in counted) ? [counted] : []));
    const found = new Map<string, ReadonlyMap<string, string>>();
    for (const [organizationId, copies] of Map.groupBy(stored, (copy) => copy.organizationId)) {
      found.set(organizationId, await this.use.reader.findCounted(organizationId, copies));
    }
    return found;
  }

  /** Whose usage changed, for those who rate it. */
  private async tell(counted: readonly IncomingCopy[]): Promise<void> {
    const changes = [...Map.groupBy(counted, ({ organizationId }) => organizationId)].map(([organization, copies]): UsageChangedRecord => {
      const subjects = new Set(copies.map(({ subject }) => subject));
      return {
        v: 1,
        organization,
        event_types: [...new Set(copies.map(({ type }) => type))],
        subjects: subjects.size > usageChangedSubjectsMax ? null : [...subjects],
        earliest: copies.reduce((earliest, { time }) => (time < earliest ? time : earliest), copies[0]?.time ?? ''),
      };
    });
    if (changes.length > 0) await this.use.log.append(topics.usageChanged, changes.map((change) => ({ key: change.organization, value: JSON.stringify(change) })));
  }
}

function cellsOf(copies: readonly IncomingCopy[]): Cell[] {
  const cells = new Map<string, Cell>();
  for (const { organizationId, type, time, subject } of copies) {
    const bucket = subjectBucket(subject);
    const hourText = time.slice(0, 13);
    const key = JSON.stringify([organizationId, type, hourText, bucket]);
    if (cells.has(key)) continue;
    const hour = Math.floor(Temporal.Instant.from(`${hourText}:00:00Z`).epochMilliseconds / 1_000);
    cells.set(key, { organizationId, eventType: type, hour: hour - (hour % secondsPerHour), bucket });
  }
  return [...cells.values()];
}
