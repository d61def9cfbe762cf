import { createHash } from 'node:crypto';
import { SetMetadata, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { catchError, from, mergeMap, type Observable, throwError } from 'rxjs';
import type { Logger } from '../logging/logger.js';
import { rawBodyOf } from './json-body.js';
import { principalOf } from './principal.js';
import { Problem } from './problem.js';
import { toProblem } from './problem-filter.js';

const keyLengthMax = 255;
/** A holder that died is taken over after this; one that lives renews long before. */
export const claimMs = 30_000;
const renewEveryMs = 10_000;

/** Whose key it is: the same text of another credential or on another path is another key. */
export interface IdempotencyScope {
  readonly organizationId: string;
  readonly credentialId: string;
  readonly method: string;
  readonly path: string;
  readonly key: string;
}

export interface StoredAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export type IdempotencyClaim =
  | { readonly state: 'claimed'; readonly claim: string }
  | { readonly state: 'answered'; readonly fingerprint: string; readonly answer: StoredAnswer }
  | { readonly state: 'running'; readonly fingerprint: string };

/** Keeps the first answer of each key for 24 h of system time. */
export interface IdempotencyStore {
  /** Takes the key for this caller, or says who has it. Exactly one of several callers at the same moment gets it. */
  claim(scope: IdempotencyScope, fingerprint: string): Promise<IdempotencyClaim>;
  renew(scope: IdempotencyScope, claim: string): Promise<void>;
  store(scope: IdempotencyScope, claim: string, answer: StoredAnswer): Promise<void>;
  /** Gives the key back, so that the next call runs. */
  release(scope: IdempotencyScope, claim: string): Promise<void>;
}

const ignoresIdempotencyKey = 'tollway:ignores-idempotency-key';

/** For routes whose inputs carry an identity of their own. */
export const IgnoresIdempotencyKey = () => SetMetadata(ignoresIdempotencyKey, true);

/** Answers a POST that repeats an Idempotency-Key with the first answer, and never runs two of one key at the same time. */
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly store: IdempotencyStore,
    private readonly logger: Logger,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    if (context.getType() !== 'http') return next.handle();
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const header = request.headers['idempotency-key'];
    if (request.method !== 'POST' || header === undefined || this.isIgnored(context)) return next.handle();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const scope = scopeOf(request, keyOf(header));
    const fingerprint = fingerprintOf(request);
    const claim = await this.store.claim(scope, fingerprint);
    if (claim.state === 'claimed') return this.run(next, reply, { scope, claim: claim.claim });
    if (claim.fingerprint !== fingerprint) {
      throw new Problem({ status: 409, code: 'idempotency_conflict', detail: 'This Idempotency-Key was used with another request; choose a new key.' });
    }
    if (claim.state === 'running') {
      throw new Problem({
        status: 409, code: 'idempotency_in_progress', detail: 'The first request with this Idempotency-Key is still running; try again.', headers: { 'retry-after': '1' },
      });
    }
    void reply.status(claim.answer.status).headers({ 'content-type': claim.answer.contentType, 'idempotency-replayed': 'true' });
    return from([claim.answer.body]);
  }

  private isIgnored(context: ExecutionContext): boolean {
    return this.reflector.getAllAndOverride<boolean | undefined>(ignoresIdempotencyKey, [context.getHandler(), context.getClass()]) === true;
  }

  private run(next: CallHandler, reply: FastifyReply, held: { scope: IdempotencyScope; claim: string }): Observable<unknown> {
    const timer = setInterval(() => {
      this.store.renew(held.scope, held.claim).catch((error: unknown) => this.logger.warn({ err: error }, 'An idempotency claim could not be renewed.'));
    }, renewEveryMs);
    timer.unref();
    return next.handle().pipe(
      mergeMap(async (value: unknown) => {
        clearInterval(timer);
        const body = JSON.stringify(value) ?? '';
        await this.settle(held, { status: reply.statusCode, contentType: 'application/json; charset=utf-8', body });
        return value;
      }),
      catchError((error: unknown) => {
        clearInterval(timer);
        const problem = toProblem(error);
        const body = JSON.stringify(problem.toBody(reply.request.id));
        return from(this.settle(held, { status: problem.status, contentType: 'application/problem+json; charset=utf-8', body })).pipe(mergeMap(() => throwError(() => error)));
      }),
    );
  }

  /** A store that fails here must not turn an answer that was reached into an error: the claim lapses by itself. */
  private async settle(held: { scope: IdempotencyScope; claim: string }, answer: StoredAnswer): Promise<void> {
    try {
      if (isKept(answer.status)) await this.store.store(held.scope, held.claim, answer);
      else await this.store.release(held.scope, held.claim);
    } catch (error) {
      this.logger.error({ err: error }, 'An idempotent answer could not be stored.');
    }
  }
}

/** What a later try may find otherwise is not kept: faults, missing rights and limits. */
function isKept(status: number): boolean {
  return status < 500 && status !== 401 && status !== 403 && status !== 429;
}

function keyOf(header: string | string[]): string {
  const text = (Array.isArray(header) ? header.join(',') : header).trim();
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(text);
  const key = quoted?.[1] === undefined ? text : quoted[1].replaceAll(/\\(.)/g, '$1');
  if (key.length === 0 || key.length > keyLengthMax) {
    throw new Problem({ status: 400, code: 'invalid_idempotency_key', detail: `An Idempotency-Key has 1 to ${keyLengthMax} characters.` });
  }
  return key;
}

function scopeOf(request: FastifyRequest, key: string): IdempotencyScope {
  const principal = principalOf(request);
  const path = request.url.split('?', 1)[0] ?? request.url;
  return { organizationId: principal.organizationId, credentialId: principal.credentialId, method: request.method, path, key };
}

/** Over the query as well: a preview is another request than the act that it shows. */
function fingerprintOf(request: FastifyRequest): string {
  const query = request.url.slice(request.url.indexOf('?') === -1 ? request.url.length : request.url.indexOf('?'));
  return createHash('sha256').update(query).update('\0').update(rawBodyOf(request)).digest('hex');
}
