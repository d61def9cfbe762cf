import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { FastifyRequest, onRequestHookHandler } from 'fastify';
import type { Scope } from '#contracts';
import { notFound, Problem } from './problem.js';
import { routeScope, setPrincipal, type Authenticator, type Principal } from './principal.js';
import { unreadableTexts } from './unreadable-texts.js';

const credentialLengthMax = 4_096;

/**
 * The credential of a request: a bearer token, the header X-API-Key, or where a sender of usage can't set either, the user
 * name of Basic (Segment's write key, a gateway's URL) or Firehose's access key.
 */
export function credentialOf(request: FastifyRequest): string | null {
  const { authorization } = request.headers;
  if (authorization !== undefined && authorization !== '') {
    const match = /^(Bearer|Basic) +(\S+) *$/i.exec(authorization);
    if (match === null) return null;
    const [, scheme = '', value = ''] = match;
    return scheme.toLowerCase() === 'bearer' ? value : basicUser(value);
  }
  const key = request.headers['x-api-key'] ?? request.headers['x-amz-firehose-access-key'];
  return typeof key === 'string' && key !== '' ? key : null;
}

/** The name before the colon; null where there is none. Whatever is no base64 is some other text, which no key is. */
function basicUser(encoded: string): string | null {
  const [user = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(':', 1);
  return user === '' ? null : user;
}

/** Answers who calls and that the scope allows it, or throws 401 or 403. */
export async function authenticateRequest(request: FastifyRequest, authenticator: Authenticator, scope: Scope): Promise<Principal> {
  return admitted(request, await authenticator.authenticate(requiredCredential(request)), scope);
}

/** The same as a hook of the routes that are called most: no promise where the caller is known. */
export function authenticating(authenticator: Authenticator, scope: Scope): onRequestHookHandler {
  return (request, _reply, done) => {
    try {
      const found = authenticator.authenticate(requiredCredential(request));
      if (found instanceof Promise) {
        found.then((principal) => admitted(request, principal, scope)).then(() => done(), done);
        return;
      }
      admitted(request, found, scope);
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  };
}

function requiredCredential(request: FastifyRequest): string {
  const credential = credentialOf(request);
  if (credential !== null && credential.length <= credentialLengthMax) return credential;
  throw unauthorized('Send your API key as "Authorization: Bearer <key>" or "X-API-Key: <key>".');
}

function admitted(request: FastifyRequest, principal: Principal | null, scope: Scope): Principal {
  if (principal === null) throw unauthorized('This API key is unknown, expired or revoked.');
  if (!principal.scopes.has(scope)) {
    throw new Problem({ status: 403, code: 'scope_missing', detail: `This credential lacks the scope ${scope}.` });
  }
  setPrincipal(request, principal);
  return principal;
}

function unauthorized(detail: string): Problem {
  return new Problem({ status: 401, code: 'unauthorized', detail, headers: { 'www-authenticate': 'Bearer' } });
}

/** Guards every Nest route by the scope that it declares, and against paths that can name nothing. */
export class ScopeGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const scope = this.reflector.getAllAndOverride<Scope | 'public' | undefined>(routeScope, [context.getHandler(), context.getClass()]);
    if (scope === undefined) throw new Problem({ status: 403, code: 'scope_missing', detail: 'This route declares no scope.' });
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (scope !== 'public') await authenticateRequest(request, this.authenticator, scope);
    // A text that no store can keep names nothing, and a store that is asked for it fails.
    if (unreadableTexts(request.params).length > 0) throw notFound('resource');
    return true;
  }
}
