import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { BusinessClock, organizationReader, SecretBox, sendFacts, type Database } from '#persistence';
import type { Clock, EventLog, Ids, JobQueue, Logger } from '#platform';
import { AdoptLateUsage } from './adopt-late-usage.js';
import { AdoptSubscriptions } from './adopt-subscriptions.js';
import { AwaitRatings } from './await-ratings.js';
import { ChangeInvoice } from './change-invoice.js';
import { ConnectPaymentProvider } from './connect-payment-provider.js';
import { FindInvoices } from './find-invoices.js';
import { InvoiceController } from './in/invoice.controller.js';
import { InvoicingWorker } from './in/invoicing-worker.js';
import { LateUsageController } from './in/late-usage.controller.js';
import { PaymentController } from './in/payment.controller.js';
import { PaymentProviderController } from './in/payment-provider.controller.js';
import { WebhookController } from './in/webhook.controller.js';
import type { InvoicingContext, SweepStep } from './invoicing-context.js';
import type { InvoicingMetrics } from './invoicing-metrics.js';
import { IssueInvoices } from './issue-invoices.js';
import { ListLateUsage } from './list-late-usage.js';
import { MakeInvoices } from './make-invoices.js';
import { PaymentProviders, type StripeSettings } from './payment-providers.js';
import { PreviewUpcomingInvoice } from './preview-upcoming-invoice.js';
import { PushOutbox } from './push-outbox.js';
import { ReceiveWebhook } from './receive-webhook.js';
import { RecordPayment } from './record-payment.js';
import { SweepDue } from './sweep-due.js';

export interface InvoicingAdapters {
  /** Opened with the role of invoicing. */
  readonly database: Database;
  readonly log: EventLog;
  readonly jobs: JobQueue;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** Payment credentials are sealed under it. */
  readonly serverSecret: string;
  /** The payment connection of the bootstrap organization; null for the sandbox. */
  readonly stripe: StripeSettings | null;
  readonly allowStripeBase: boolean;
  /** Of this process to Stripe, for each connection. */
  readonly stripeRequestsPerSecond?: number | undefined;
  readonly sweepEveryMs?: number | undefined;
  readonly atStep?: ((step: SweepStep) => void) | undefined;
  readonly metrics?: InvoicingMetrics | undefined;
}

const sweepEveryMsDefault = 500;

/** The use cases on these adapters, without Nest. */
export function invoicingUseCases(adapters: InvoicingAdapters) {
  const { database, log, jobs, clock, ids, logger, atStep, metrics } = adapters;
  const context: InvoicingContext = { database, log, jobs, clock, ids, logger, atStep, metrics };
  const box = new SecretBox(adapters.serverSecret);
  const providers = new PaymentProviders({ box, clock, bootstrapStripe: adapters.stripe, requestsPerSecond: adapters.stripeRequestsPerSecond });
  const businessClock = new BusinessClock({ database, readOrganization: organizationReader(database), clock });
  const businessNow = (organizationId: string) => businessClock.now(organizationId);
  const awaitRatings = new AwaitRatings(context);
  const adoptSubscriptions = new AdoptSubscriptions(context);
  const adoptLateUsage = new AdoptLateUsage(context, businessNow);
  const makeInvoices = new MakeInvoices(context);
  const issueInvoices = new IssueInvoices(context, providers);
  const pushOutbox = new PushOutbox(context, providers);
  const sweepDue = new SweepDue({ context, adoptSubscriptions, adoptLateUsage, makeInvoices, issueInvoices, pushOutbox });
  return {
    sweepDue,
    pushOutbox,
    findInvoices: new FindInvoices(database, awaitRatings, businessNow),
    changeInvoice: new ChangeInvoice({ context, providers, sweepDue, pushOutbox, businessNow }),
    recordPayment: new RecordPayment({ context, providers, businessNow }),
    previewUpcomingInvoice: new PreviewUpcomingInvoice({ context, providers, awaitRatings, businessNow }),
    listLateUsage: new ListLateUsage({ database, awaitRatings, businessNow }),
    receiveWebhook: new ReceiveWebhook(context, providers),
    connectPaymentProvider: new ConnectPaymentProvider({ database, box, bootstrapStripe: adapters.stripe, allowApiBase: adapters.allowStripeBase }),
  };
}

@Module({})
export class InvoicingModule {
  static register(adapters: InvoicingAdapters): DynamicModule {
    const use = invoicingUseCases(adapters);
    const { database, log, jobs, clock, logger } = adapters;
    const worker = () => new InvoicingWorker({ jobs, clock, logger, sweepDue: use.sweepDue, pushOutbox: use.pushOutbox, sendFacts: () => sendFacts({ database, log, table: 'invoicing_facts' }), sweepEveryMs: adapters.sweepEveryMs ?? sweepEveryMsDefault });
    const providers: Provider[] = [
      { provide: FindInvoices, useValue: use.findInvoices },
      { provide: ChangeInvoice, useValue: use.changeInvoice },
      { provide: PreviewUpcomingInvoice, useValue: use.previewUpcomingInvoice },
      { provide: ListLateUsage, useValue: use.listLateUsage },
      { provide: RecordPayment, useValue: use.recordPayment },
      { provide: ReceiveWebhook, useValue: use.receiveWebhook },
      { provide: ConnectPaymentProvider, useValue: use.connectPaymentProvider },
      { provide: InvoicingWorker, useFactory: worker },
    ];
    return { module: InvoicingModule, controllers: [InvoiceController, LateUsageController, PaymentController, WebhookController, PaymentProviderController], providers };
  }
}
