import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import { Problem } from './problem.js';

/** The date of the contract that this build speaks. */
export const apiVersion = '2026-11-01';

/**
 * Takes `Tollway-Version: YYYY-MM-DD`, the date that a client was written for, and answers with the version that serves it.
 * There is one so far, so every date from it on is served by it, and a date before it never had a contract.
 */
export function negotiateVersion(request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
  const asked = request.headers['tollway-version'];
  void reply.header('tollway-version', apiVersion);
  if (asked === undefined) done();
  else done(problemOf(asked));
}

function problemOf(asked: string | string[]): Problem | undefined {
  if (typeof asked !== 'string' || !isDate(asked)) {
    return new Problem({ status: 400, code: 'invalid_version', detail: 'Give Tollway-Version as YYYY-MM-DD.' });
  }
  if (asked < apiVersion) {
    return new Problem({ status: 400, code: 'unknown_version', detail: `The oldest version of this API is ${apiVersion}.` });
  }
  return undefined;
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  try {
    Temporal.PlainDate.from(text);
    return true;
  } catch {
    return false;
  }
}
