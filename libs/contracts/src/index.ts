import './fault-sentences.js'; // Before any schema is used.
export { aggregatorGroup, ratingGroup, topics } from './log/topics.js';
export { decodeDeadLetterRecord, encodeDeadLetterRecord } from './log/dead-letter-record.js';
export type { DeadLetterRecord } from './log/dead-letter-record.js';
export { refusedEventCodes } from './log/refused-event-fault.js';
export type { RefusedEventCode, RefusedEventFault } from './log/refused-event-fault.js';
export { decodeUsageChangedRecord, usageChangedSubjectsMax } from './log/usage-changed-record.js';
export type { UsageChangedRecord } from './log/usage-changed-record.js';
export { decodeInvoiceIssuedRecord } from './log/invoice-issued-record.js';
export type { InvoiceIssuedRecord } from './log/invoice-issued-record.js';
export type { RatedPeriodFact } from './log/rated-period-fact.js';
export { decodeUsageRatedRecord, factLinesMax } from './log/usage-rated-record.js';
export type { UsageRatedRecord } from './log/usage-rated-record.js';
export { decodeUsageThresholdRecord } from './log/usage-threshold-record.js';
export type { UsageThresholdRecord } from './log/usage-threshold-record.js';
export { encodeUsageCorrectionRecord } from './log/usage-correction-record.js';
export type { UsageCorrectionRecord } from './log/usage-correction-record.js';
export { encodeUsageEventRecord, usageEventKey } from './log/usage-event-record.js';
export type { UsageEventRecord } from './log/usage-event-record.js';
export { decodeUsageEventRecord, decodeUsageRecord, RecordVersionUnknown, usageRecordVersionMax } from './log/usage-record.js';
export type { UsageRecord } from './log/usage-record.js';
export { ownerScopes, scopes } from './scopes.js';
export type { Scope } from './scopes.js';
export { ratedUsageQuerySchema, ratedUsageRowSchema, ratedUsageSchema } from './http/rated-usage.js';
export type { RatedUsageBody, RatedUsageQuery } from './http/rated-usage.js';
export { invoicingQueue, rateFinalSchema, rateOpenSchema, ratingQueue, sweepJob } from './jobs/rating-jobs.js';
export type { RateFinalPayload, RateOpenPayload } from './jobs/rating-jobs.js';
export {
  amendEventsBodySchema, callIngestQuerySchema, cloudEventSchema, eventListBodySchema, eventsAnswerSchema, eventsBodySchema, eventsBodySizeMax, eventSchema, eventsMax, eventsQuerySchema, httpIngestQuerySchema, ingestFormats, refusedEventSchema,
  voidEventsBodySchema,
} from './http/event.js';
export {
  lagoBatchBodySchema, lagoBatchCreatedSchema, lagoEventBodySchema, lagoEventCreatedSchema, lagoRefusalSchema, stripeErrorSchema, stripeMeterEventSessionSchema, stripeMeterEventStreamSchema,
  stripeMeterEventV1CreatedSchema, stripeMeterEventV1Schema, stripeMeterEventV2CreatedSchema, stripeMeterEventV2Schema,
} from './http/drop-in-event.js';
export type { EventsAnswerBody, IngestFormat, RefusedEventBody } from './http/event.js';
export {
  eventMappingOf, eventSourceCreateSchema, eventSourceFormats, eventSourceListSchema, eventSourceReplaceSchema, eventSourceSchema, eventSourceStatsQuerySchema, eventSourceStatsSchema, eventSourceUpdateSchema,
} from './http/event-source.js';
export type { EventSourceBody, EventSourceFormat, EventSourceReplace, EventSourceStatsBody, EventSourceStatsQuery, EventSourceUpdate } from './http/event-source.js';
export { eventSourceTrialAnswerSchema, eventSourceTrialSchema, sampleEventsMax } from './http/event-source-trial.js';
export type { EventSourceTrialBody, EventSourceTrialInput } from './http/event-source-trial.js';
export { simulatedPriceSchema as simulatedPriceBodySchema } from './http/simulation.js';
export { addressSchema, currencyInputSchema, flagQuerySchema, instantInputSchema, instantSchema, listSchema, resourceSchema, timeZoneInputSchema } from './http/resource.js';
export { decimalFields } from './http/decimal-fields.js';
export { durationSeconds, durationText, organizationCreatedSchema, organizationCreateSchema, organizationListSchema, organizationSchema, organizationUpdateSchema } from './http/organization.js';
export type { OrganizationBody, OrganizationCreate, OrganizationUpdate } from './http/organization.js';
export { apiKeyCreatedSchema, apiKeyCreateSchema, apiKeyListSchema, apiKeySchema, apiKeyUpdateSchema } from './http/api-key.js';
export type { ApiKeyBody, ApiKeyCreate, ApiKeyUpdate } from './http/api-key.js';
export { productCreateSchema, productListSchema, productReplaceSchema, productSchema, productUpdateSchema } from './http/product.js';
export type { ProductBody, ProductReplace, ProductUpdate } from './http/product.js';
export { featureCreateSchema, featureListSchema, featureReplaceSchema, featureSchema, featureUpdateSchema } from './http/feature.js';
export type { FeatureBody, FeatureReplace, FeatureUpdate } from './http/feature.js';
export { meterCreateSchema, meterDiffQuerySchema, meterDiffSchema, meterListSchema, meterReplaceSchema, meterSchema, meterUpdateSchema, meterVersionListSchema, meterVersionSchema } from './http/meter.js';
export type { MeterBody, MeterDiffBody, MeterDiffQuery, MeterReplace, MeterUpdate, MeterVersionBody } from './http/meter.js';
export {
  addOnCreateSchema, addOnListSchema, addOnReplaceSchema, addOnSchema, addOnUpdateSchema, addOnVersionListSchema, addOnVersionQuerySchema, addOnVersionSchema, includeEndedQuery,
  subscriptionAddOnChangeSchema, subscriptionAddOnCreateSchema, subscriptionAddOnListSchema, subscriptionAddOnRemoveSchema, subscriptionAddOnSchema,
} from './http/add-on.js';
export type { AddOnBody, AddOnReplace, AddOnUpdate, AddOnVersionBody, SubscriptionAddOnBody } from './http/add-on.js';
export { archivedQuery, planCreateSchema, planDiffQuerySchema, planDiffSchema, planDraftInputSchema, planDraftSchema, planListSchema, planMigrateSchema, planMigrationSchema, planRaiseSchema, planReplaceSchema, planSchema, planUpdateSchema, planVersionListSchema, planVersionQuerySchema, planVersionSchema } from './http/plan.js';
export type { PlanBody, PlanDiffBody, PlanDraftBody, PlanDraftInput, PlanMigrate, PlanMigrationBody, PlanRaise, PlanReplace, PlanUpdate, PlanVersionBody } from './http/plan.js';
export { breakEvenBodySchema, breakEvenSchema } from './http/break-even.js';
export type { BreakEvenBody, BreakEvenRequest } from './http/break-even.js';
export { accessGroup, accessQuerySchema, accessSchema, customerEntitlementListSchema } from './http/access.js';
export type { AccessBody, AccessQuery, CustomerEntitlementBody, CustomerEntitlementListBody } from './http/access.js';
export { backtestBodySchema, backtestSchema } from './http/backtest.js';
export type { BacktestBody, BacktestedPlan, BacktestRequest } from './http/backtest.js';
export { attachmentListSchema, attachmentSchema, customerCreateSchema, customerListQuery, customerListSchema, customerReplaceSchema, customerSchema, customerUpdateSchema, subjectAttachSchema, subjectSchema } from './http/customer.js';
export type { AttachmentBody, CustomerBody, CustomerReplace, CustomerUpdate, SubjectAttach } from './http/customer.js';
export { previewQuerySchema, subscriptionCancelSchema, subscriptionChangeSchema, subscriptionCreateSchema, subscriptionListQuery, subscriptionListSchema, subscriptionPreviewSchema, subscriptionSchema, subscriptionUpdateSchema } from './http/subscription.js';
export type { SubscriptionBody, SubscriptionCancel, SubscriptionChange, SubscriptionCreate, SubscriptionPreviewBody, SubscriptionUpdate } from './http/subscription.js';
export { testClockAdvancedSchema, testClockAdvanceSchema, testClockSchema, testClockSetSchema } from './http/test-clock.js';
export type { TestClockAdvancedBody, TestClockBody } from './http/test-clock.js';
export { paymentCreateSchema, paymentListSchema, paymentSchema } from './http/payment.js';
export type { PaymentBody, PaymentCreate } from './http/payment.js';
export { lateUsageListQuery, lateUsageListSchema } from './http/late-usage.js';
export type { LateUsageBody } from './http/late-usage.js';
export { invoiceListQuery, invoiceListSchema, invoiceSchema, lineItemSchema, upcomingInvoiceQuerySchema, upcomingInvoiceSchema } from './http/invoice.js';
export { toAddOnOfLine, toLineAddOn, toLineItemBody } from './http/line-item-body.js';
export type { InvoiceBody, LineItemBody, UpcomingInvoiceBody, UpcomingInvoiceQuery } from './http/invoice.js';
export { paymentProviderSchema, paymentProviderSetSchema } from './http/payment-provider.js';
export type { PaymentProviderBody, PaymentProviderSet } from './http/payment-provider.js';
export { pushOutboxJob } from './jobs/invoicing-jobs.js';
export {
  deadLetterDiscardedSchema, deadLetterDiscardSchema, deadLetterListFields, deadLetterListSchema, deadLetterReplayedSchema, deadLetterReplaySchema, deadLetterSchema, deadLettersDiscardedSchema,
  deadLettersDiscardSchema, deadLettersPerCall, deadLettersReplayedSchema, deadLettersReplaySchema, deadLetterSummaryQuerySchema, deadLetterSummarySchema,
} from './http/dead-letter.js';
export type { DeadLetterBody, DeadLetterListBody, DeadLetterReplayedBody, DeadLettersDiscard, DeadLettersDiscardedBody, DeadLettersReplay, DeadLettersReplayedBody, DeadLetterSummaryBody } from './http/dead-letter.js';
export { encodeDeadLetterStateRecord } from './log/dead-letter-state-record.js';
export type { DeadLetterStateRecord } from './log/dead-letter-state-record.js';
export { correctionListFields, correctionListSchema, eventDataFilters, eventListFields, eventListSchema, eventReasonSchema, listedEventSchema, liveEventsQuerySchema } from './http/event-list.js';
export type { CorrectionListBody, EventListBody, LiveEventsQuery } from './http/event-list.js';
export { queryRange } from './http/query-instant.js';
export { eventBillingQuerySchema, eventBillingSchema } from './http/event-billing.js';
export type { EventBillingBody } from './http/event-billing.js';
export { invoiceVerificationSchema, lineEventListSchema, receiptSchema } from './http/receipt.js';
export type { InvoiceVerificationBody, LineEventListBody, ReceiptBody } from './http/receipt.js';
export { meterVerificationQuerySchema, meterVerificationSchema, rollupDifferenceSchema } from './http/meter-verification.js';
export type { MeterVerificationBody, MeterVerificationQuery } from './http/meter-verification.js';
export { filteredQuerySchema, valuesOf } from './http/filtered-query.js';
export { meterTrialAnswerSchema, meterTrialSchema } from './http/meter-trial.js';
export type { MeterTrialBody, MeterTrialInput } from './http/meter-trial.js';
export { customerUsageQuerySchema, customerUsageSchema, meterUsageQuerySchema, meterUsageRowSchema, meterUsageSchema, usageFilters } from './http/meter-usage.js';
export type { CustomerUsageBody, CustomerUsageQuery, MeterUsageBody, MeterUsageQuery } from './http/meter-usage.js';
export { exportCreateSchema, exportListSchema, exportSchema } from './http/export.js';
export type { ExportBody, ExportCreate } from './http/export.js';
