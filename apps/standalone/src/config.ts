import { z } from 'zod';
import { aggregatorApp } from '#aggregator';
import { ingestApp } from '#ingest';
import { invoicingApp } from '#invoicing';
import { bootstrapKeySetting, listenSettings, onOffSetting, portSetting, secretSetting, storeSettings } from '#service';

const ownSchema = z.object({
  PORT: portSetting.default(4000),
  ...listenSettings,
  TOLLWAY_DATA_DIR: z.string().min(1).default('./.tollway'),
  TOLLWAY_BOOTSTRAP_API_KEY: bootstrapKeySetting.optional(),
  TOLLWAY_DEMO: onOffSetting.default(true),
  TOLLWAY_SECRET: secretSetting.optional(),
  ...storeSettings,
  DATABASE_URL: storeSettings.DATABASE_URL.optional(),
  CLICKHOUSE_URL: storeSettings.CLICKHOUSE_URL.optional(),
});

/** Everything that standalone takes from the environment: its own settings and those of the apps that it runs. */
export const standaloneConfigSchema = ownSchema.and(ingestApp.settings).and(aggregatorApp.settings).and(invoicingApp.settings);

export type StandaloneConfig = z.output<typeof standaloneConfigSchema>;
