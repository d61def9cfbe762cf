import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import {
  CorrectionStore, CountedEvents, DeadLetterStore, EventPages, EventReader, EventStore, IdentityIndex, RollupStore, RollupVerifier, SourceActivityReader, TrialCounter, UsageReader, type ClickHouse, type Database, type MarkPatience,
} from '#persistence';
import { makeIds, type Clock, type EventLog, type Logger } from '#platform';
import { AggregatorMetrics } from './aggregator-metrics.js';
import { BuildMeterRollups } from './build-meter-rollups.js';
import { CheckRollups } from './check-rollups.js';
import { ConsumeDeadLetters } from './consume-dead-letters.js';
import { ConsumeUsageBatch } from './consume-usage-batch.js';
import { CorrectCountedEvents } from './correct-counted-events.js';
import { DedupeWindows } from './dedupe-windows.js';
import { ExportFiles } from './export-files.js';
import { ReadExportRows } from './export-rows.js';
import { Exports } from './exports.js';
import { DeadLetterController } from './in/dead-letter.controller.js';
import { EventSourceStatsController } from './in/event-source-stats.controller.js';
import { ExportController } from './in/export.controller.js';
import { EventController } from './in/event.controller.js';
import { MeterTrialController } from './in/meter-trial.controller.js';
import { UsageController } from './in/usage.controller.js';
import { UsageLogHandler } from './in/usage-log.handler.js';
import { VerificationController } from './in/verification.controller.js';
import { KnownIdentities } from './known-identities.js';
import { ListCorrections } from './list-corrections.js';
import { ListEvents } from './list-events.js';
import { ReadCustomerUsage } from './read-customer-usage.js';
import { ReadDeadLetters } from './read-dead-letters.js';
import { ReadMeterUsage } from './read-meter-usage.js';
import { ReadSourceStats } from './read-source-stats.js';
import { RecomputeRollups } from './recompute-rollups.js';
import { BackgroundWorker } from './background-worker.js';
import { RunExports } from './run-exports.js';
import { TryMeter } from './try-meter.js';
import { VerifyMeter } from './verify-meter.js';
import { VerifyRollups } from './verify-rollups.js';

export interface AggregatorAdapters {
  /** Opened with the role of the aggregator. */
  readonly database: Database;
  readonly log: EventLog;
  readonly clickhouse: ClickHouse;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: AggregatorMetrics;
  readonly exports: { readonly dir: string; readonly retentionDays: number };
  readonly patience?: MarkPatience;
  readonly lookEveryMs?: number;
}

const patienceDefault: MarkPatience = { quietMs: 5_000, waitMaxMs: 60_000 };
const lookEveryMsDefault = 1_000;
const checkEveryMs = 60_000;
const sweepEveryMs = 60_000;
/** Proves what the other worker made. */
const rollupChecker = Symbol('rollup checker');
const exportWriter = Symbol('export writer');
const exportSweeper = Symbol('export sweeper');

@Module({})
export class AggregatorModule {
  static register(adapters: AggregatorAdapters): DynamicModule {
    const { database, log, clickhouse, clock, logger } = adapters;
    const reader = new EventReader(clickhouse);
    const index = new IdentityIndex(clickhouse);
    const store = new DeadLetterStore(clickhouse);
    const usage = new UsageReader({ clickhouse, database, log, clock });
    const rollups = new RollupStore(clickhouse);
    const identities = new KnownIdentities({ index, clock, logger });
    const consume = new ConsumeUsageBatch({
      database, log, events: new EventStore(clickhouse), corrections: new CorrectionStore(clickhouse), correct: new CorrectCountedEvents(new CountedEvents(clickhouse)),
      reader, index, identities, windows: new DedupeWindows(database), logger,
    });
    const build = new BuildMeterRollups({ database, rollups });
    const recompute = new RecomputeRollups({ database, rollups, patience: adapters.patience ?? patienceDefault });
    const verify = new VerifyRollups({ database, verifier: new RollupVerifier(clickhouse) });
    const check = new CheckRollups({ database, verify, metrics: adapters.metrics, clock, logger });
    const upToDate = new BackgroundWorker({
      look: async () => [await build.execute(), await recompute.execute()],
      lookEveryMs: adapters.lookEveryMs ?? lookEveryMsDefault, clock, logger,
      failure: 'Rollups could not be brought up to date; usage is read from raw events meanwhile.',
    });
    return {
      module: AggregatorModule,
      controllers: [UsageController, VerificationController, MeterTrialController, EventController, DeadLetterController, EventSourceStatsController, ExportController, UsageLogHandler],
      providers: [
        { provide: AggregatorMetrics, useValue: adapters.metrics },
        { provide: ConsumeUsageBatch, useValue: consume },
        { provide: ConsumeDeadLetters, useValue: new ConsumeDeadLetters({ store, logger }) },
        { provide: ReadMeterUsage, useValue: new ReadMeterUsage({ database, usage }) },
        { provide: TryMeter, useValue: new TryMeter({ events: reader, usage, counter: new TrialCounter(clickhouse), clock }) },
        { provide: ReadCustomerUsage, useValue: new ReadCustomerUsage({ database, usage }) },
        { provide: ListCorrections, useValue: new ListCorrections(new CorrectionStore(clickhouse)) },
        { provide: ListEvents, useValue: new ListEvents({ database, events: reader }) },
        { provide: ReadSourceStats, useValue: new ReadSourceStats({ database, activity: new SourceActivityReader(clickhouse) }) },
        { provide: ReadDeadLetters, useValue: new ReadDeadLetters(store) },
        { provide: VerifyMeter, useValue: new VerifyMeter({ database, usage, verify }) },
        { provide: BackgroundWorker, useValue: upToDate },
        { provide: rollupChecker, useValue: new BackgroundWorker({ look: () => check.execute(), lookEveryMs: checkEveryMs, clock, logger, failure: 'Rollups could not be compared with their events; it is tried again.' }) },
        ...exportProviders(adapters, usage),
      ],
    };
  }
}

function exportProviders({ database, clickhouse, clock, logger, exports, lookEveryMs = lookEveryMsDefault }: AggregatorAdapters, usage: UsageReader): Provider[] {
  const files = new ExportFiles(exports.dir);
  const ids = makeIds({ now: () => clock.now() });
  const read = new ReadExportRows({ database, events: new EventPages(clickhouse), usage, readMeterUsage: new ReadMeterUsage({ database, usage }), clock });
  const run = new RunExports({ database, read, files, ids, clock, logger, retentionDays: exports.retentionDays });
  return [
    { provide: Exports, useValue: new Exports({ database, files, ids, clock }) },
    { provide: exportWriter, useValue: new BackgroundWorker({ look: (signal) => run.execute(signal), lookEveryMs, clock, logger, failure: 'Exports could not be looked for; it is tried again.' }) },
    { provide: exportSweeper, useValue: new BackgroundWorker({ look: () => run.sweep(), lookEveryMs: sweepEveryMs, clock, logger, failure: 'Old files of exports could not be taken away; it is tried again.' }) },
  ];
}
