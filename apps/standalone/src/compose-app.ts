import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { aggregatorApp } from '#aggregator';
import { billingApiApp, bootstrapOrganization, CreateOrganization, type BootstrappedOrganization } from '#billing-api';
import { ingestApp } from '#ingest';
import { invoicingApp } from '#invoicing';
import type { Logger } from '#platform';
import { ratingApp } from '#rating';
import { composeDefinition, createApplication } from '#service';
import type { Adapters } from './adapters.js';
import type { StandaloneConfig } from './config.js';

export interface ComposeOptions {
  readonly config: StandaloneConfig;
  readonly adapters: Adapters;
  readonly logger: Logger;
}

export interface Product {
  readonly app: NestFastifyApplication;
  readonly organization: BootstrappedOrganization;
  /** Makes a test organization and gives its owner's key. */
  readonly createOrganization: (name: string) => Promise<string>;
}

/** All five apps in one Nest application, each on its own connections, with one log server per consumer group. Not yet listening. */
export async function composeApp({ config, adapters, logger }: ComposeOptions): Promise<Product> {
  const { billingApi } = adapters;
  const organization = await bootstrapOrganization({ ...billingApi, apiKey: config.TOLLWAY_BOOTSTRAP_API_KEY });
  const app = await createApplication(
    [
      composeDefinition(billingApiApp, billingApi, config),
      composeDefinition(ingestApp, adapters.ingest, config),
      composeDefinition(aggregatorApp, adapters.aggregator, { ...config, EXPORT_DIR: config.EXPORT_DIR ?? join(config.TOLLWAY_DATA_DIR, 'exports') }),
      composeDefinition(ratingApp, adapters.rating, config),
      composeDefinition(invoicingApp, adapters.invoicing, config),
    ],
    logger,
  );
  const create = new CreateOrganization(billingApi, billingApi.serverSecret);
  return { app, organization, createOrganization: async (name) => (await create.execute({ name, mode: 'test' })).secret };
}
