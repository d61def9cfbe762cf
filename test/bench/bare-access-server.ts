import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { serveParent } from './child-server.ts';

// What is left of an access check when nobody is authenticated and nothing is looked up: the answers, made beforehand, from memory.

type Params = Readonly<Record<'customer' | 'feature', string>>;

const answers = new Map<string, object>();
const app = fastify();
app.post<{ Params: Params }>('/v1/customers/:customer/access/:feature', async ({ params, body }) => {
  answers.set(`${params.customer}/${params.feature}`, body as object);
  return { accepted: true };
});
app.get<{ Params: Params }>('/v1/customers/:customer/access/:feature', async ({ params }, reply) => {
  const answer = answers.get(`${params.customer}/${params.feature}`);
  return answer ?? reply.status(404).send({ code: 'not_found' });
});
await app.listen({ port: 0, host: '127.0.0.1' });
const { port } = app.server.address() as AddressInfo;
serveParent(port, () => app.close());
