import { claimExport, finishExport, releaseExport, renewExport, type Database, type ExportEnd, type ExportRecord } from '#persistence';
import { Fault, type Clock, type Ids, type Logger } from '#platform';
import type { ExportFiles } from './export-files.js';
import type { ExportPage } from './export-content.js';
import { UsageRefused, type ReadExportRows } from './export-rows.js';

/** Whoever writes an export says so at least this often; after that it is another's. */
const leaseMs = 120_000;
const renewEveryMs = 20_000;
/** After a fault of a store or of the disk. */
const retryAfterMs = 60_000;
const attemptsMax = 10;
const sweepMarginHours = 1;

interface ExportWork {
  readonly database: Database;
  readonly read: ReadExportRows;
  readonly files: ExportFiles;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retentionDays: number;
}

const nothingKnown = { rows: null, bytes: null, sha256: null, errorCode: null, errorDetail: null, freshAsOf: null, fileName: null, finishedAt: null, expiresAt: null };

/** The export was deleted, or is another's, or we shut down: there is nothing to be said about it. */
class TurnIsOver extends Error {}

/** Writes the files that were asked for, one at a time, of whichever organization waits longest. */
export class RunExports {
  constructor(private readonly use: ExportWork) {}

  /** Returns how many it took on. */
  async execute(signal: AbortSignal = new AbortController().signal): Promise<number> {
    let taken = 0;
    while (!signal.aborted && (await this.next(signal))) taken += 1;
    return taken;
  }

  /** Takes away what is older than exports are kept, and what was never finished. */
  sweep(): Promise<number> {
    return this.use.files.sweep(this.use.clock.now().subtract({ hours: this.use.retentionDays * 24 + sweepMarginHours }));
  }

  private async next(signal: AbortSignal): Promise<boolean> {
    const claim = this.use.ids.make('job');
    const record = await this.use.database.acrossOrganizations((manager) => claimExport(manager, { claim, leaseMs }));
    if (record === null) return false;
    const fileName = `${record.id}-${claim}.${record.format}`;
    let mayBeDone = false;
    try {
      const end = record.attempts > attemptsMax ? failure({ code: 'tried_too_often', detail: `It was begun ${attemptsMax} times and never finished.` }) : await this.write(record, { claim, fileName, signal });
      mayBeDone = true; // Until the answer is known: it may be lost after the database wrote it.
      mayBeDone = await this.finish(record, { claim, end: { ...end, finishedAt: this.use.clock.now() } });
      if (!mayBeDone) throw new TurnIsOver();
    } catch (error) {
      if (!mayBeDone) await this.use.files.remove(fileName).catch(() => undefined); // The sweep finds it.
      await this.giveUp(record, { claim, error, signal });
    }
    return true;
  }

  private async write(record: ExportRecord, turn: { claim: string; fileName: string; signal: AbortSignal }): Promise<ExportEnd> {
    const rows = await this.use.read.execute(record);
    if (!rows.ok) return failure(rows);
    const { columns, freshAsOf } = rows.value;
    const written = await this.use.files.write(turn.fileName, { columns, pages: this.paced(rows.value.pages, record, turn) });
    const expiresAt = this.use.clock.now().add({ hours: this.use.retentionDays * 24 });
    return { ...nothingKnown, status: 'done', ...written, freshAsOf, fileName: turn.fileName, expiresAt };
  }

  /** Renews the lease between pages, and stops where the turn is over. */
  private async *paced(pages: AsyncIterable<ExportPage>, record: ExportRecord, { claim, signal }: { claim: string; signal: AbortSignal }): AsyncGenerator<ExportPage> {
    let renewedAt = this.use.clock.now();
    for await (const page of pages) {
      if (signal.aborted) throw new TurnIsOver();
      const now = this.use.clock.now();
      if (renewedAt.until(now).total('milliseconds') >= renewEveryMs) {
        renewedAt = now;
        if (!(await this.renew(record, { claim, leaseMs }))) throw new TurnIsOver();
      }
      yield page;
    }
  }

  private async giveUp(record: ExportRecord, { claim, error, signal }: { claim: string; error: unknown; signal: AbortSignal }): Promise<void> {
    if (error instanceof TurnIsOver) {
      if (signal.aborted) await this.use.database.inOrganization(record.organizationId, (manager) => releaseExport(manager, { id: record.id, claim }));
      return;
    }
    if (error instanceof UsageRefused) {
      await this.finish(record, { claim, end: { ...failure({ code: error.code, detail: error.message }), finishedAt: this.use.clock.now() } });
      return;
    }
    this.use.logger.warn({ err: error, export: record.id, attempt: record.attempts }, 'An export could not be written.');
    if (error instanceof Fault && error.retryable) await this.renew(record, { claim, leaseMs: retryAfterMs });
    else await this.finish(record, { claim, end: { ...failure({ code: 'internal_error', detail: 'The file could not be made. What went wrong stands in the log of the aggregator.' }), finishedAt: this.use.clock.now() } });
  }

  private renew(record: ExportRecord, lease: { claim: string; leaseMs: number }): Promise<boolean> {
    return this.use.database.inOrganization(record.organizationId, (manager) => renewExport(manager, record.id, lease));
  }

  private finish(record: ExportRecord, finished: { claim: string; end: ExportEnd }): Promise<boolean> {
    return this.use.database.inOrganization(record.organizationId, (manager) => finishExport(manager, record.id, finished));
  }
}

function failure({ code, detail }: { readonly code: string; readonly detail: string }): ExportEnd {
  return { ...nothingKnown, status: 'failed', errorCode: code, errorDetail: detail };
}
