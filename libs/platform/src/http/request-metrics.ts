import type { FastifyInstance } from 'fastify';
import { Histogram, type Registry } from 'prom-client';

const unknownRoute = 'unknown';
const buckets = [0.005, 0.025, 0.1, 0.25, 1, 2.5, 10, 60];

/** Times the requests of all routes that are registered afterwards. Routes are patterns, so labels are as many as routes and statuses. */
export function requestMetrics(registry: Registry): (fastify: FastifyInstance) => void {
  const seconds = new Histogram({
    name: 'tollway_http_request_seconds', help: 'Time from a request\'s head to the end of its answer.', labelNames: ['method', 'route', 'status'], buckets, registers: [registry],
  });
  return (fastify) => {
    fastify.addHook('onResponse', (request, reply, done) => {
      const route = request.routeOptions.url ?? unknownRoute;
      seconds.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1_000);
      done();
    });
  };
}
