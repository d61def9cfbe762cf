import type { FastifyRequest } from 'fastify';
import { toProblem, type Logger, type Problem } from '#platform';

/** The problem that an error is to the caller; what is our own fault stands in the log. */
export function loggedProblem(error: unknown, { request, logger }: { readonly request: FastifyRequest; readonly logger: Logger }): Problem {
  const problem = toProblem(error);
  if (problem.status >= 500) {
    const route = request.routeOptions.url ?? 'unknown route';
    logger[problem.status === 503 ? 'warn' : 'error']({ err: error, request_id: request.id, route }, 'A request failed.');
  }
  return problem;
}
