import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { DependencyChecks } from './dependency-checks.js';

export interface OperationalRoutesOptions {
  /** What must answer before requests are welcome. */
  readonly checks: DependencyChecks;
  readonly metrics: Registry;
}

/** Registers `/healthz` (the process lives), `/readyz` (what it needs answers) and `/metrics` (Prometheus), all without credentials. */
export function operationalRoutes(options: OperationalRoutesOptions): (fastify: FastifyInstance) => void {
  return (fastify) => {
    fastify.get('/healthz', () => ({ status: 'ok' }));
    fastify.get('/readyz', async (_request, reply) => {
      const checks = await options.checks.results();
      const isReady = Object.values(checks).every((result) => result === 'ok');
      // What is away is named; the reason stays in the log, since it may name hosts.
      return reply.status(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'not_ready', checks });
    });
    fastify.get('/metrics', async (_request, reply) => reply.header('content-type', options.metrics.contentType).send(await options.metrics.metrics()));
  };
}
