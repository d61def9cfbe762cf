import { Module, type DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { decimalFields } from '#contracts';
import { PostgresIdempotencyStore } from '#persistence';
import { createHttpApp, DependencyChecks, LogServer, operationalRoutes, requestMetrics, serveDocuments, type DependencyCheck, type Logger } from '#platform';
import type { AppAdapters } from './app-adapters.js';
import type { AppDefinition, AppParts } from './app-definition.js';
import { logMetrics } from './log-metrics.js';

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
  const checks = new DependencyChecks(checksOf(apps), adapters.clock);
  const metrics = metricsOf(apps, checks);
  const app = await createHttpApp({
    module: ComposedModule.of(apps.flatMap(({ parts }) => parts.module ?? [])),
    logger,
    authenticator: adapters.authenticator,
    idempotency: new PostgresIdempotencyStore(adapters.database, adapters),
    decimalFields,
    routes: [requestMetrics(metrics), ...apps.flatMap(({ parts }) => parts.routes ?? []), operationalRoutes({ checks, metrics })],
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
function checksOf(apps: readonly ComposedApp[]): Record<string, DependencyCheck> {
  const checks = apps.toReversed().flatMap(({ adapters, needs }) => needs.flatMap((store) => {
    const check = adapters.checks[store];
    return check === undefined ? [] : [[store, check] as const];
  }));
  return Object.fromEntries(checks);
}

function metricsOf(apps: readonly [ComposedApp, ...ComposedApp[]], checks: DependencyChecks): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const readers = apps.flatMap(({ adapters: { log }, parts: { consumer } }) => (consumer === undefined ? [] : [{ log, ...consumer }]));
  for (const metric of [...logMetrics(readers, apps[0].adapters.clock), ...apps.flatMap(({ parts }) => parts.metrics ?? [])]) registry.registerMetric(metric);
  new Gauge({
    name: 'tollway_dependency_up', help: 'Whether a store that the app needs answers, as /readyz says it: 1 or 0.', labelNames: ['dependency'], registers: [registry],
    async collect() {
      for (const [dependency, result] of Object.entries(await checks.results())) this.set({ dependency }, result === 'ok' ? 1 : 0);
    },
  });
  return registry;
}
