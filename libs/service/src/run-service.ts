import { z } from 'zod';
import { openAdapters, type AppAdapters, type StoreAddresses } from './app-adapters.js';
import type { AppDefinition } from './app-definition.js';
import { composeDefinition, createApplication } from './create-application.js';
import { runProcess, say, type ServedProcess } from './run-process.js';
import { listenSettings, portSetting, secretSetting, storeSettings } from './settings.js';

/** What every app takes from the environment as a process of its own. */
export function serviceSettings(port: number) {
  return z.object({ PORT: portSetting.default(port), ...listenSettings, ...storeSettings, TOLLWAY_SECRET: secretSetting });
}

export type ServiceConfig = z.output<ReturnType<typeof serviceSettings>>;

export function addressesOf(config: Pick<ServiceConfig, keyof typeof storeSettings>): StoreAddresses {
  return { databaseUrl: config.DATABASE_URL, clickHouseUrl: config.CLICKHOUSE_URL, kafkaBrokers: config.KAFKA_BROKERS, redisUrl: config.REDIS_URL };
}

/** Runs one app as a process: serves until SIGTERM, lets what runs end, and returns the exit code. */
export async function runService<Config>(definition: AppDefinition<Config>): Promise<number> {
  const settings = serviceSettings(definition.port).and(definition.settings);
  return runProcess(
    { name: `tollway-${definition.name}`, settings, serve: (config, served) => serve(definition, config, served) },
    { args: process.argv.slice(2), environment: process.env },
  );
}

async function serve<Config>(definition: AppDefinition<Config>, config: ServiceConfig & Config, { logger, stopping }: ServedProcess): Promise<number> {
  const { role, poolSizeMax } = definition;
  const adapters = await openAdapters({ role, poolSizeMax, addresses: addressesOf(config), serverSecret: config.TOLLWAY_SECRET, logger });
  try {
    return await listen({ definition, adapters, config }, { logger, stopping });
  } finally {
    await adapters.close();
  }
}

async function listen<Config>(
  { definition, adapters, config }: { definition: AppDefinition<Config>; adapters: AppAdapters; config: ServiceConfig & Config },
  { logger, stopping }: ServedProcess,
): Promise<number> {
  const app = await createApplication([composeDefinition(definition, adapters, config)], logger);
  try {
    await app.listen({ port: config.PORT, host: config.HOST });
    say(`${definition.name} is ready on ${await app.getUrl()} (process ${process.pid}).`);
    await stopping;
    return 0;
  } finally {
    await app.close();
  }
}
