import { Module, type DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { decimalFields } from '#contracts';
import { PostgresIdempotencyStore } from '#persistence';
import { createHttpApp, LogServer, operationalRoutes, serveDocuments, type Logger } from '#platform';
import type { AppAdapters } from './app-adapters.js';
import type { AppDefinition, AppParts } from './app-definition.js';

/** An app with what it was composed of. */
export interface ComposedApp {
  readonly adapters: AppAdapters;
  readonly needs: AppDefinition<unknown>['needs'];
  readonly parts: AppParts;
}

@Module({})
class ComposedModule {
  static of(imports: DynamicModule[]): DynamicModule {
    return { module: ComposedModule, imports };
  }
}

/** Composes an app by its own settings. */
export function composeDefinition<Config>(definition: AppDefinition<Config>, adapters: AppAdapters, config: Config): ComposedApp {
  return { adapters, needs: definition.needs, parts: definition.compose(adapters, config) };
}

/** One Nest application that serves the apps, with one log server for each that reads the log. It consumes, and does not listen yet. */
export async function createApplication(apps: readonly [ComposedApp, ...ComposedApp[]], logger: Logger): Promise<NestFastifyApplication> {
  const [{ adapters }] = apps; // Whoever asks for a key or an answer given before may do so with any app's rights.
  const app = await createHttpApp({
    module: ComposedModule.of(apps.flatMap(({ parts }) => parts.module ?? [])),
    logger,
    authenticator: adapters.authenticator,
    idempotency: new PostgresIdempotencyStore(adapters.database, adapters),
    decimalFields,
    routes: [...apps.flatMap(({ parts }) => parts.routes ?? []), operationalRoutes({ checks: checksOf(apps), metrics: metricsOf() })],
  });
  serveDocuments(app, { paths: Object.assign({}, ...apps.map(({ parts }) => parts.openApiPaths ?? {})) });
  for (const { adapters: { log }, parts } of apps) {
    if (parts.consumer === undefined) continue;
    const { group, batchSizeMax, transport } = parts.consumer;
    app.connectMicroservice({ strategy: new LogServer({ log, group, batchSizeMax, transportId: transport }) });
  }
  await app.startAllMicroservices();
  return app;
}

/** Each store is asked once, by the first app that needs it. */
function checksOf(apps: readonly ComposedApp[]): Record<string, () => Promise<void>> {
  const checks = apps.toReversed().flatMap(({ adapters, needs }) => needs.map((store) => [store, adapters.check[store]] as const));
  return Object.fromEntries(checks);
}

function metricsOf(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
