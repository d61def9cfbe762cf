import { type DynamicModule, Module } from '@nestjs/common';
import type { Histogram } from 'prom-client';
import { sendFacts, type Database, type LineUsageReader, type RatingPatience } from '#persistence';
import type { Clock, EventLog, JobQueue, Logger } from '#platform';
import { BacktestPlan } from './backtest-plan.js';
import { FindBreakEven } from './find-break-even.js';
import { BreakEvenController } from './in/break-even.controller.js';
import { AccessController } from './in/access.controller.js';
import { BacktestController } from './in/backtest.controller.js';
import { EventBillingController } from './in/event-billing.controller.js';
import { ReceiptController } from './in/receipt.controller.js';
import { RatingController } from './in/rating.controller.js';
import { RatingWorker } from './in/rating-worker.js';
import { UsageChangedHandler } from './in/usage-changed.handler.js';
import { AwaitUsageChanges } from './await-usage-changes.js';
import { FindEventBilling } from './find-event-billing.js';
import { FindInvoiceUsage } from './find-invoice-usage.js';
import { MarkRatingDue } from './mark-rating-due.js';
import { RateClosedPeriods } from './rate-closed-periods.js';
import { RateFinalPeriods } from './rate-final-periods.js';
import { RateOpenPeriods } from './rate-open-periods.js';
import { RateOnBasis } from './rate-on-basis.js';
import { RatePeriods } from './rate-periods.js';
import { ReadAccess } from './read-access.js';
import { ReadReceipt } from './read-receipt.js';
import { RefreshRatings } from './refresh-ratings.js';
import { ReportRatedUsage } from './report-rated-usage.js';
import { SendDueRatings } from './send-due-ratings.js';
import { SimulatePrice } from './simulate-price-command.js';
import { VerifyInvoice } from './verify-invoice.js';
import type { SliceEvents, UsageSlices } from './usage-slices.js';

export interface RatingAdapters {
  /** Opened with the role of rating. */
  readonly database: Database;
  readonly log: EventLog;
  readonly jobs: JobQueue;
  readonly usage: UsageSlices;
  readonly events: SliceEvents;
  readonly lineUsages: LineUsageReader;
  readonly readAccess: ReadAccess;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly patience?: RatingPatience;
  readonly lookEveryMs?: number;
  readonly jobSeconds?: Histogram<'kind'>;
}

const patienceDefault: RatingPatience = { quietMs: 2_000, waitMaxMs: 60_000 };
const lookEveryMsDefault = 1_000;

@Module({})
export class RatingModule {
  static register(adapters: RatingAdapters): DynamicModule {
    const { database, log, jobs, usage, events, lineUsages, clock, logger } = adapters;
    const ratePeriods = new RatePeriods({ database, usage, events, clock });
    const rateOnBasis = new RateOnBasis({ database, log, usage, events, lineUsages, clock });
    const rateClosed = new RateClosedPeriods({ database, ratePeriods: rateOnBasis });
    const findUsage = new FindInvoiceUsage({ database, rateClosed });
    const awaitChanges = new AwaitUsageChanges({ log, clock });
    const rateOpen = new RateOpenPeriods({ database, ratePeriods, rateClosed, clock });
    const rateFinal = new RateFinalPeriods({ database, ratePeriods: rateOnBasis, rateClosed, awaitChanges, jobs, clock });
    const refresh = new RefreshRatings({ database, log, clock, rateOpen, awaitChanges });
    const sendDue = new SendDueRatings({ database, jobs, clock, patience: adapters.patience ?? patienceDefault });
    const lookEveryMs = adapters.lookEveryMs ?? lookEveryMsDefault;
    return {
      module: RatingModule,
      controllers: [RatingController, AccessController, BacktestController, BreakEvenController, ReceiptController, EventBillingController, UsageChangedHandler],
      providers: [
        { provide: BacktestPlan, useValue: new BacktestPlan({ database, ratePeriods, clock }) },
        { provide: FindBreakEven, useValue: new FindBreakEven(database) },
        { provide: ReadAccess, useValue: adapters.readAccess },
        { provide: ReadReceipt, useValue: new ReadReceipt({ findUsage, lineUsages }) },
        { provide: FindEventBilling, useValue: new FindEventBilling({ database, lineUsages, rateClosed }) },
        { provide: VerifyInvoice, useValue: new VerifyInvoice({ database, findUsage, rateOnBasis }) },
        { provide: SimulatePrice, useValue: new SimulatePrice(database) },
        { provide: ReportRatedUsage, useValue: new ReportRatedUsage({ database, refresh, clock }) },
        { provide: MarkRatingDue, useValue: new MarkRatingDue(database, clock) },
        { provide: RatingWorker, useValue: new RatingWorker({ jobs, clock, logger, rateOpen, rateFinal, sendDue, sendFacts: () => sendFacts({ database, log, table: 'rating_facts' }), lookEveryMs, jobSeconds: adapters.jobSeconds }) },
      ],
    };
  }
}
