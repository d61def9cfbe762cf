import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { serveParent } from './child-server.ts';

// What is left of an access check when nobody is authenticated and nothing is looked up: a limit and what was used, from memory.

const allowances = new Map(Array.from({ length: 1_000 }, (_, index) => [`customer-${index}`, { limit: 1_000_000_000, used: index }]));

const app = fastify();
app.get<{ Params: { customer: string; feature: string } }>('/v1/customers/:customer/access/:feature', async (request, reply) => {
  const { customer, feature } = request.params;
  const allowance = allowances.get(customer);
  if (allowance === undefined) return reply.status(404).send({ code: 'not_found' });
  const { limit, used } = allowance;
  const allowed = used + 1 <= limit;
  return { object: 'access', customer, feature, allowed, code: allowed ? null : 'quota_exceeded', limit: String(limit), used: String(used), remaining: String(limit - used), resets_at: '2027-01-01T00:00:00Z', marginal_amount: '0.001' };
});
await app.listen({ port: 0, host: '127.0.0.1' });
const { port } = app.server.address() as AddressInfo;
serveParent(port, () => app.close());
