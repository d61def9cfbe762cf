import { Module, type DynamicModule } from '@nestjs/common';
import type { Database, PostgresAuthenticator, ReadOrganization } from '#persistence';
import { BusinessClock } from '#persistence';
import type { Clock, Ids } from '#platform';
import { Features, MeterKeys, Meters, Products } from './catalog.js';
import { ChangeOrganization } from './change-organization.js';
import { CreateOrganization } from './create-organization.js';
import { Customers } from './customers.js';
import { ApiKeyController } from './in/api-key.controller.js';
import { CustomerController } from './in/customer.controller.js';
import { FeatureController } from './in/feature.controller.js';
import { MeterController } from './in/meter.controller.js';
import { OrganizationController } from './in/organization.controller.js';
import { PlanController } from './in/plan.controller.js';
import { ProductController } from './in/product.controller.js';
import { ManageApiKeys } from './manage-api-keys.js';
import { Plans } from './plans.js';
import { ReadCustomers } from './read-customers.js';
import { ReadOrganizations } from './read-organizations.js';
import { ReadPlans } from './read-plans.js';

export interface BillingApiAdapters {
  /** Opened as `billingApi`. */
  readonly database: Database;
  readonly authenticator: PostgresAuthenticator;
  readonly readOrganization: ReadOrganization;
  readonly businessClock: BusinessClock;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly serverSecret: string;
}

const controllers = [OrganizationController, ApiKeyController, ProductController, FeatureController, MeterController, PlanController, CustomerController];

/** Organizations, catalog, customers and subscriptions. Whoever composes opens and closes the adapters. */
@Module({})
export class BillingApiModule {
  static register(adapters: BillingApiAdapters): DynamicModule {
    const { database, authenticator, serverSecret } = adapters;
    const useCases = [
      new CreateOrganization(adapters, serverSecret),
      new ReadOrganizations(database),
      new ChangeOrganization(database),
      new ManageApiKeys(adapters, { serverSecret, authenticator }),
      new Products(adapters),
      new Features(adapters),
      new Meters(adapters),
      new MeterKeys(database),
      new Plans(adapters),
      new ReadPlans(database),
      new Customers(adapters),
      new ReadCustomers(database, adapters.businessClock),
    ];
    return { module: BillingApiModule, controllers, providers: useCases.map((useCase) => ({ provide: useCase.constructor, useFactory: () => useCase })) };
  }
}
