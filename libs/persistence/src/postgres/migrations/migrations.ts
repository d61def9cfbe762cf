import type { MixedList } from 'typeorm';
import { Roles1700000000001 } from './0001-roles.js';
import { Organizations1700000000010 } from './0010-organizations.js';
import { AddOns1700000000105 } from './0105-add-ons.js';
import { ApiKeys1700000000011 } from './0011-api-keys.js';
import { IdempotencyKeys1700000000012 } from './0012-idempotency-keys.js';
import { TestClocks1700000000013 } from './0013-test-clocks.js';
import { ProductsFeaturesMeters1700000000014 } from './0014-products-features-meters.js';
import { Plans1700000000015 } from './0015-plans.js';
import { Customers1700000000016 } from './0016-customers.js';
import { Subscriptions1700000000017 } from './0017-subscriptions.js';
import { EventSources1700000000018 } from './0018-event-sources.js';
import { RollupProgress1700000000020 } from './0020-rollup-progress.js';
import { RollupChecks1700000000021 } from './0021-rollup-checks.js';
import { MeterPercentile1700000000027 } from './0027-meter-percentile.js';
import { Rating1700000000030 } from './0030-rating.js';
import { RatingDueReaders1700000000031 } from './0031-rating-due-readers.js';
import { LateRatings1700000000035 } from './0035-late-ratings.js';
import { PlanLateUsage1700000000036 } from './0036-plan-late-usage.js';
import { RoundingOfPeriods1700000000037 } from './0037-rounding-of-periods.js';
import { DueActs1700000000040 } from './0040-due-acts.js';
import { Invoices1700000000041 } from './0041-invoices.js';
import { Payments1700000000042 } from './0042-payments.js';
import { WebhookOrganization1700000000043 } from './0043-webhook-organization.js';
import { WideAmounts1700000000044 } from './0044-wide-amounts.js';
import { LateSettlements1700000000045 } from './0045-late-settlements.js';
import { PaymentsByHand1700000000046 } from './0046-payments-by-hand.js';
import { Exports1700000000050 } from './0050-exports.js';
import { Facts1700000000060 } from './0060-facts.js';
import { SubscriptionChanges1700000000070 } from './0070-subscription-changes.js';
import { MeterVersions1700000000084 } from './0084-meter-versions.js';
import { GrowingUsage1700000000087 } from './0087-growing-usage.js';
import { FinancialExports1700000000089 } from './0089-financial-exports.js';
import { MinimumCommitments1700000000097 } from './0097-minimum-commitments.js';
import { PlanDrafts1700000000098 } from './0098-plan-drafts.js';
import { PlanEntitlements1700000000100 } from './0100-plan-entitlements.js';
import { DaysInRows1700000000120 } from './0120-days-in-rows.js';
import { CrossedThresholds1700000000135 } from './0135-crossed-thresholds.js';
import { UsageBases1700000000094 } from './0094-usage-bases.js';
import { UsageOfLines1700000000095 } from './0095-usage-of-lines.js';

/** All migrations in the order in which they run. A class once released is never edited; a change is a new class. */
export const migrations: MixedList<Function> = [
  Roles1700000000001,
  Organizations1700000000010,
  ApiKeys1700000000011,
  IdempotencyKeys1700000000012,
  TestClocks1700000000013,
  ProductsFeaturesMeters1700000000014,
  Plans1700000000015,
  Customers1700000000016,
  Subscriptions1700000000017,
  EventSources1700000000018,
  RollupProgress1700000000020,
  RollupChecks1700000000021,
  MeterPercentile1700000000027,
  Rating1700000000030,
  RatingDueReaders1700000000031,
  LateRatings1700000000035,
  PlanLateUsage1700000000036,
  RoundingOfPeriods1700000000037,
  DueActs1700000000040,
  Invoices1700000000041,
  Payments1700000000042,
  WebhookOrganization1700000000043,
  WideAmounts1700000000044,
  LateSettlements1700000000045,
  PaymentsByHand1700000000046,
  Exports1700000000050,
  Facts1700000000060,
  SubscriptionChanges1700000000070,
  MeterVersions1700000000084,
  GrowingUsage1700000000087,
  FinancialExports1700000000089,
  UsageBases1700000000094,
  UsageOfLines1700000000095,
  MinimumCommitments1700000000097,
  PlanDrafts1700000000098,
  PlanEntitlements1700000000100,
  AddOns1700000000105,
  DaysInRows1700000000120,
  CrossedThresholds1700000000135,
];
