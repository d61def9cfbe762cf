import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';

export interface OperationalRoutesOptions {
  /** What must work before requests are welcome, by name. A check that rejects, or takes too long, makes the app not ready. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
  readonly metrics: Registry;
}

const checkTimeoutMs = 5_000;

/** Registers `/healthz` (the process lives), `/readyz` (its stores answer) and `/metrics` (Prometheus), all without credentials. */
export function operationalRoutes(options: OperationalRoutesOptions): (fastify: FastifyInstance) => void {
  return (fastify) => {
    fastify.get('/healthz', () => ({ status: 'ok' }));
    fastify.get('/readyz', async (_request, reply) => {
      const results = await Promise.all(Object.entries(options.checks).map(async ([name, check]) => [name, await resultOf(check)] as const));
      const isReady = results.every(([, result]) => result === 'ok');
      // The reason of a failure stays in the log: it may name hosts.
      return reply.status(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'not_ready', checks: Object.fromEntries(results) });
    });
    fastify.get('/metrics', async (_request, reply) => reply.header('content-type', options.metrics.contentType).send(await options.metrics.metrics()));
  };
}

async function resultOf(check: () => Promise<void>): Promise<'ok' | 'failed'> {
  const signal = AbortSignal.timeout(checkTimeoutMs);
  const timeout = new Promise<'failed'>((resolve) => signal.addEventListener('abort', () => resolve('failed'), { once: true }));
  return Promise.race([check().then(() => 'ok' as const, () => 'failed' as const), timeout]);
}
