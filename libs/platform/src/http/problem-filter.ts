import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Fault } from '../errors/fault.js';
import type { Logger } from '../logging/logger.js';
import { Problem } from './problem.js';

/** The codes of what Fastify itself refuses, and the sentence that a caller can act on. */
const fastifyProblems: Record<string, { status: number; code: string; detail: string }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, code: 'body_too_large', detail: 'The body is larger than this route takes.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { status: 415, code: 'unsupported_media_type', detail: 'This route does not take that Content-Type.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { status: 400, code: 'invalid_content_length', detail: 'The body is not as long as Content-Length says.' },
  FST_ERR_CTP_EMPTY_JSON_BODY: { status: 400, code: 'invalid_json', detail: 'The body is empty.' },
  FST_ERR_BAD_URL: { status: 400, code: 'invalid_url', detail: 'The path is not a valid URL.' },
  FST_ERR_MAX_PARAM_LENGTH: { status: 404, code: 'not_found', detail: 'There is no such resource.' },
};

/** Turns whatever was thrown into a problem. What is nobody's refusal is a bug: it is logged whole and answered without its text. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Fault) {
    return new Problem({
      status: error.retryable ? 503 : 500,
      code: error.code,
      detail: error.retryable ? `${error.message} Try again.` : 'An unexpected fault occurred.',
      headers: error.retryable ? { 'retry-after': String(error.retryAfterSeconds) } : {},
    });
  }
  const fastify = fastifyProblems[(error as { code?: string } | null)?.code ?? ''];
  if (fastify !== undefined) return new Problem(fastify);
  if (error instanceof HttpException) {
    const status = error.getStatus();
    if (status === 404) return new Problem({ status, code: 'not_found', detail: 'There is no such route.' });
    return new Problem({ status, code: status < 500 ? 'bad_request' : 'internal_error', detail: status < 500 ? error.message : 'An unexpected fault occurred.' });
  }
  const status = (error as { statusCode?: number } | null)?.statusCode;
  if (status !== undefined && status >= 400 && status < 500) {
    return new Problem({ status, code: 'bad_request', detail: (error as Error).message });
  }
  return new Problem({ status: 500, code: 'internal_error', detail: 'An unexpected fault occurred. Its request_id is in our log.' });
}

export function sendProblem(reply: FastifyReply, problem: Problem): void {
  void reply
    .status(problem.status)
    .headers(problem.headers)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(problem.toBody(reply.request.id)));
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const problem = toProblem(error);
    if (problem.status >= 500) {
      const route = request.routeOptions?.url ?? 'unknown route';
      this.logger[problem.status === 503 ? 'warn' : 'error']({ err: error, request_id: request.id, route }, 'A request failed.');
    }
    sendProblem(reply, problem);
  }
}
