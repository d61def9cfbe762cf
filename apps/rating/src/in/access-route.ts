import type { FastifyInstance } from 'fastify';
import { accessQuerySchema, type AccessQuery } from '#contracts';
import { authenticating, checkedQuery, notFound, principalOf, unreadableTexts, valueOrProblem, type Authenticator } from '#platform';
import type { AccessRefusal, AccessView, ReadAccess } from '../read-access.js';
import { toAccessBody } from './access-bodies.js';

export interface AccessRouteDependencies {
  readonly readAccess: ReadAccess;
  readonly authenticator: Authenticator;
}

type Params = Readonly<Record<'customer' | 'feature', string>>;

export const accessStatuses: Readonly<Record<AccessRefusal, number>> = { not_found: 404, invalid_request: 422 };
const noQuery: AccessQuery = {};

/**
 * Registers `GET /v1/customers/{id}/access/{feature}` on the Fastify instance itself: gateways ask it at every call, and Nest's chain costs more
 * than the answer, which is mostly one that was given a moment before.
 */
export function registerAccessRoute(fastify: FastifyInstance, { readAccess, authenticator }: AccessRouteDependencies): void {
  const texts = new WeakMap<AccessView, string>();
  const textOf = (view: AccessView): string => {
    const known = texts.get(view);
    if (known !== undefined) return known;
    const text = JSON.stringify(toAccessBody(view));
    texts.set(view, text);
    return text;
  };
  void fastify.register((scope, _options, done) => {
    scope.addHook('onRequest', authenticating(authenticator, 'usage:read'));
    scope.get<{ Params: Params }>('/v1/customers/:customer/access/:feature', async (request, reply) => {
      const { params: { customer, feature } } = request;
      if (unreadableTexts(request.params).length > 0) throw notFound('resource'); // Which no store can be asked for.
      const query = request.url.includes('?') ? await checkedQuery(request, accessQuerySchema) : noQuery;
      const view = valueOrProblem(await readAccess.access({ organizationId: principalOf(request).organizationId, customer, feature }, query), accessStatuses);
      return reply.type('application/json; charset=utf-8').send(textOf(view));
    });
    done();
  });
}
