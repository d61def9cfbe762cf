import { Module, type DynamicModule } from '@nestjs/common';
import type { BusinessClock, Database, PostgresAuthenticator, ReadOrganization } from '#persistence';
import { PostgresIdempotencyStore } from '#persistence';
import type { Clock, EventLog, Ids, JobQueue, Logger } from '#platform';
import { AddOns } from './add-ons.js';
import { AdvanceTestClock } from './advance-test-clock.js';
import { CancelSubscription } from './cancel-subscription.js';
import { EventSources, Features, MeterKeys, Meters, Products } from './catalog.js';
import { ChangeOrganization } from './change-organization.js';
import { CreateOrganization } from './create-organization.js';
import { ChangeSubscription } from './change-subscription.js';
import { CreateSubscription } from './create-subscription.js';
import { Customers } from './customers.js';
import { AddOnController } from './in/add-on.controller.js';
import { ApiKeyController } from './in/api-key.controller.js';
import { CustomerController } from './in/customer.controller.js';
import { EventSourceController } from './in/event-source.controller.js';
import { FeatureController } from './in/feature.controller.js';
import { MeterController } from './in/meter.controller.js';
import { MeterVersionController } from './in/meter-version.controller.js';
import { OrganizationController } from './in/organization.controller.js';
import { PlanDraftController } from './in/plan-draft.controller.js';
import { PlanMigrationController } from './in/plan-migration.controller.js';
import { PlanVersionController } from './in/plan-version.controller.js';
import { PlanController } from './in/plan.controller.js';
import { ProductController } from './in/product.controller.js';
import { SubscriptionActController } from './in/subscription-act.controller.js';
import { SubscriptionAddOnController } from './in/subscription-add-on.controller.js';
import { SubscriptionController } from './in/subscription.controller.js';
import { TestClockController } from './in/test-clock.controller.js';
import { ManageApiKeys } from './manage-api-keys.js';
import { MigratePlan } from './migrate-plan.js';
import { PlanDrafts } from './plan-drafts.js';
import { Plans } from './plans.js';
import { RaisePlan } from './raise-plan.js';
import { ReadAddOns } from './read-add-ons.js';
import { ReadCustomers } from './read-customers.js';
import { ReadOrganizations } from './read-organizations.js';
import { ReadMeterVersions } from './read-meter-versions.js';
import { ReadPlans } from './read-plans.js';
import { ReadSubscriptions } from './read-subscriptions.js';
import { RemoveExpiredAnswers } from './remove-expired-answers.js';
import { SubscriptionAddOns } from './subscription-add-ons.js';
import { TestClocks } from './test-clocks.js';

export interface BillingApiAdapters {
  /** Opened as `billingApi`. */
  readonly database: Database;
  readonly authenticator: PostgresAuthenticator;
  readonly readOrganization: ReadOrganization;
  readonly businessClock: BusinessClock;
  readonly clock: Clock;
  readonly ids: Ids;
  /** For how far the aggregator has consumed. */
  readonly log: Pick<EventLog, 'completeAsOf'>;
  readonly jobs: JobQueue;
  readonly serverSecret: string;
  readonly logger: Logger;
}

const controllers = [
  OrganizationController, ApiKeyController, ProductController, FeatureController, MeterController, MeterVersionController, EventSourceController, PlanController, CustomerController, SubscriptionController,
  SubscriptionActController, PlanVersionController, PlanMigrationController, PlanDraftController, AddOnController, SubscriptionAddOnController, TestClockController,
];

/** Organizations, catalog, customers and subscriptions. Whoever composes opens and closes the adapters. */
@Module({})
export class BillingApiModule {
  static register(adapters: BillingApiAdapters): DynamicModule {
    const { database, authenticator, serverSecret } = adapters;
    const plans = new Plans(adapters);
    const readPlans = new ReadPlans(database);
    const useCases = [
      new CreateOrganization(adapters, serverSecret),
      new ReadOrganizations(database),
      new ChangeOrganization(database),
      new ManageApiKeys(adapters, { serverSecret, authenticator }),
      new Products(adapters),
      new Features(adapters),
      new Meters(adapters),
      new EventSources(adapters),
      new MeterKeys(database),
      new ReadMeterVersions(database),
      plans,
      readPlans,
      new RaisePlan(plans, readPlans),
      new PlanDrafts(adapters),
      new AddOns(adapters),
      new ReadAddOns(database),
      new SubscriptionAddOns(adapters, adapters.jobs),
      new Customers(adapters),
      new ReadCustomers(database, adapters.businessClock),
      new CreateSubscription(adapters, adapters.jobs),
      new ChangeSubscription(adapters, adapters.jobs),
      new CancelSubscription(adapters, adapters.jobs),
      new MigratePlan(adapters, adapters.jobs),
      new ReadSubscriptions(database, adapters.businessClock),
      new TestClocks(adapters),
      new AdvanceTestClock(adapters),
      new RemoveExpiredAnswers(new PostgresIdempotencyStore(database, adapters), adapters.logger),
    ];
    return { module: BillingApiModule, controllers, providers: useCases.map((useCase) => ({ provide: useCase.constructor, useFactory: () => useCase })) };
  }
}
