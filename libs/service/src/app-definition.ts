import type { DynamicModule } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import type { Metric } from 'prom-client';
import type { z } from 'zod';
import type { AppRole } from '#persistence';
import type { OpenApiOptions } from '#platform';
import type { AppAdapters, StoreName } from './app-adapters.js';

/** How an app reads the log: one consumer group, whose handlers are marked with the transport. */
export interface LogConsumer {
  readonly group: string;
  /** As its handlers name them. */
  readonly topics: readonly string[];
  readonly batchSizeMax: number;
  readonly transport: symbol;
}

/** What a composed app brings to the application that serves it. */
export interface AppParts {
  readonly module?: DynamicModule;
  /** Registers routes on the Fastify instance itself, and says which they are. */
  readonly routes?: (fastify: FastifyInstance) => void;
  readonly openApiPaths?: NonNullable<OpenApiOptions['paths']>;
  readonly consumer?: LogConsumer;
  /** What it tells Prometheus of its own, registered nowhere yet. */
  readonly metrics?: readonly Metric[];
}

/** What an app says of itself, for the process that runs it alone and for the one that runs all. */
export interface AppDefinition<Config> {
  /** As in the name of its folder. */
  readonly name: string;
  readonly role: AppRole;
  /** Where it listens as a process of its own, unless PORT says otherwise. */
  readonly port: number;
  /** Connections to Postgres at most, beside those of the log and of the job queue. */
  readonly poolSizeMax: number;
  /** The stores that must answer before it is ready, of those that the installation has. */
  readonly needs: readonly StoreName[];
  /** Its own settings, beside those that every app has. */
  readonly settings: z.ZodType<Config>;
  readonly compose: (adapters: AppAdapters, config: Config) => AppParts;
}
