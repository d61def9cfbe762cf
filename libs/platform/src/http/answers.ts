import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Outcome } from '../errors/refusal.js';
import { Problem } from './problem.js';
import { problemResponse } from './open-api-parts.js';

/** The value of a use case, or the problem of its refusal. Each use case's codes have their status in one exhaustive record. */
export function valueOrProblem<T, Code extends string>(outcome: Outcome<T, Code>, statuses: Readonly<Record<Code, number>>): T {
  if (outcome.ok) return outcome.value;
  throw new Problem({
    status: statuses[outcome.code], code: outcome.code, detail: outcome.detail, errors: outcome.errors, ...(outcome.extensions === undefined ? {} : { extensions: { ...outcome.extensions } }),
  });
}

/** Documents what a route answers: the schema of its good answer, and which problems it may give. */
export function Answers(options: { status?: number; schema?: z.ZodType; problems?: readonly number[]; description?: string }) {
  const problems = [...new Set([401, 403, ...(options.problems ?? [])])];
  return applyDecorators(
    ApiResponse({ status: options.status ?? 200, description: options.description ?? 'Done.', ...(options.schema === undefined ? {} : { standardSchema: options.schema }) }),
    ...problems.map((status) =>
      ApiResponse({ status, ...problemResponse(descriptions[status] ?? 'A problem.') })),
  );
}

const descriptions: Record<number, string> = {
  400: 'The request can not be read.', 401: 'The credential is missing or unknown.', 403: 'The credential lacks the scope.', 404: 'There is no such object.',
  409: 'The state of things does not allow it.', 410: 'It is no longer there.', 413: 'The body is too large.', 415: 'The type of the body is not supported.', 422: 'The request was understood and refused; errors names each fault.',
  429: 'Too many requests.', 503: 'Try again.',
};
