import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Scope } from '#contracts';

/** Who calls: one credential of one organization, and what it may do. */
export interface Principal {
  readonly organizationId: string;
  readonly mode: 'test' | 'live';
  readonly credentialId: string;
  readonly scopes: ReadonlySet<Scope>;
}

/**
 * Finds who a credential belongs to; null where it is unknown, revoked or expired. Implementations cache, so that no request waits for
 * a store that it asked just before, and may then answer at once: a promise for each request costs more than the look.
 */
export interface Authenticator {
  authenticate(credential: string): Principal | null | Promise<Principal | null>;
}

export const routeScope = 'tollway:scope';

/** The scope that a route needs. A route without it must say `@Public()`, or nobody gets in. */
export const RequiredScope = (scope: Scope) => SetMetadata(routeScope, scope);

/** A route for everybody: health, documents, webhooks that prove themselves. */
export const Public = () => SetMetadata(routeScope, 'public');

export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  return principalOf(context.switchToHttp().getRequest<FastifyRequest>());
});

/** A call as routes see it that need more of it than their validated inputs. */
export interface CallContext {
  readonly principal: Principal;
  readonly params: Readonly<Record<string, string>>;
  /** The header Accept, empty where there is none. */
  readonly accept: string;
  /** Answers with another status than the route's usual one. */
  readonly setStatus: (status: number) => void;
  readonly setHeader: (name: string, value: string) => void;
}

export const CurrentCall = createParamDecorator((_: unknown, context: ExecutionContext): CallContext => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const reply = context.switchToHttp().getResponse<FastifyReply>();
  return {
    principal: principalOf(request),
    params: request.params as Record<string, string>,
    accept: request.headers.accept ?? '',
    // The reply itself is not given on: it has a "then", and what awaits an argument would wait until it is sent.
    setStatus: (status) => void reply.status(status),
    setHeader: (name, value) => void reply.header(name, value),
  };
});

/** On the raw request, which Fastify's and Nest's views of it have in common. */
const principalKey = Symbol('principal');

export function setPrincipal(request: FastifyRequest, principal: Principal): void {
  (request.raw as { [principalKey]?: Principal })[principalKey] = principal;
}

export function principalOf(request: FastifyRequest): Principal {
  const principal = (request.raw as { [principalKey]?: Principal })[principalKey];
  if (principal === undefined) throw new Error('The route has no authenticated principal.');
  return principal;
}
