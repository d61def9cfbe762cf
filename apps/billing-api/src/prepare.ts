import { z } from 'zod';
import { addressesOf, bootstrapKeySetting, listenSettings, openAdapters, prepareStores, runProcess, say, secretSetting, storeSettings } from '#service';
import { billingApiApp } from './billing-api-app.js';
import { bootstrapOrganization } from './bootstrap-organization.js';

const settings = z.object({
  TOLLWAY_LOG_LEVEL: listenSettings.TOLLWAY_LOG_LEVEL,
  ...storeSettings,
  TOLLWAY_SECRET: secretSetting,
  TOLLWAY_BOOTSTRAP_API_KEY: bootstrapKeySetting.optional(),
  /** As many aggregators at most share the work. */
  USAGE_PARTITIONS: z.coerce.number().int().min(1).max(1_000).default(8),
  KAFKA_REPLICATION_FACTOR: z.coerce.number().int().min(1).max(7).default(1),
});

/** What has to be there before the apps start, once for all of them: tables, topics, the first organization and its key. */
export function prepare(): Promise<number> {
  return runProcess(
    {
      name: 'tollway-prepare',
      settings,
      serve: async (config, { logger }) => {
        const addresses = addressesOf(config);
        await prepareStores(addresses, { logger, usagePartitions: config.USAGE_PARTITIONS, replicationFactor: config.KAFKA_REPLICATION_FACTOR });
        const adapters = await openAdapters({ role: billingApiApp.role, poolSizeMax: 1, addresses, serverSecret: config.TOLLWAY_SECRET, logger });
        try {
          const { generatedApiKey } = await bootstrapOrganization({ ...adapters, apiKey: config.TOLLWAY_BOOTSTRAP_API_KEY });
          if (generatedApiKey !== null) say(`The key of your organization, shown this once: ${generatedApiKey}`);
        } finally {
          await adapters.close();
        }
        say('Tables, topics and the first organization are there.');
        return 0;
      },
    },
    { args: process.argv.slice(2), environment: process.env },
  );
}
