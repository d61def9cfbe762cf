import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { callIngestQuerySchema, httpIngestQuerySchema, ingestFormats, type IngestFormat } from '#contracts';
import { invalidInput, type Clock, type Logger } from '#platform';
import { readFormats } from '../formats/ingest-formats.js';
import type { LineOptions } from '../formats/line-identity.js';
import { loggedProblem } from './logged-problem.js';
import type { TakeEvents } from './take-events.js';

export interface FormatRoutesDependencies {
  readonly takeEvents: TakeEvents;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * `POST /v1/ingest/{format}`. Gateways send a batch again when it is refused as a whole, and then drop it: what was
 * refused stands inside of a 202 and in the dead letters.
 */
export function registerFormatRoutes(scope: FastifyInstance, deps: FormatRoutesDependencies): void {
  for (const format of ingestFormats) {
    if (format === 'aws-api-gateway') continue;
    scope.post(`/v1/ingest/${format}`, async (request, reply) => {
      const options = lineOptions(request, format);
      const answer = await deps.takeEvents(request, { read: (body) => readFormats[format](body, options), keepsAllRefused: true });
      return reply.status(202).send(answer);
    });
  }
  registerAwsRoute(scope, deps);
}

/** Takes Firehose's requests beside plain ones, and answers them as Firehose demands, or it sends them again for hours. */
function registerAwsRoute(scope: FastifyInstance, { takeEvents, clock, logger }: FormatRoutesDependencies): void {
  const answer = (reply: FastifyReply, { status, requestId, errorMessage }: { readonly status: number; readonly requestId: string; readonly errorMessage?: string }): FastifyReply =>
    reply.status(status).send({ requestId, timestamp: clock.now().epochMilliseconds, ...(errorMessage === undefined ? {} : { errorMessage }) });

  scope.post(
    '/v1/ingest/aws-api-gateway',
    {
      errorHandler: (error, request, reply): void => {
        const requestId = firehoseHeader(request);
        if (requestId === null) throw error;
        const { status, detail, headers } = loggedProblem(error, { request, logger });
        void answer(reply.headers(headers), { status, requestId, errorMessage: detail });
      },
    },
    async (request, reply) => {
      const options = lineOptions(request, 'aws-api-gateway');
      let requestId = firehoseHeader(request);
      const read = (body: Buffer) => {
        const batch = readFormats['aws-api-gateway'](body, options);
        requestId ??= batch.firehoseRequestId ?? null;
        return batch;
      };
      const taken = await takeEvents(request, { read, keepsAllRefused: true });
      return requestId === null ? reply.status(202).send(taken) : answer(reply, { status: 200, requestId });
    },
  );
}

function firehoseHeader({ headers }: FastifyRequest): string | null {
  const requestId = headers['x-amz-firehose-request-id'];
  return typeof requestId === 'string' ? requestId : null;
}

/** Calls of Segment are no HTTP requests: they have neither client nor user. */
function lineOptions({ query }: FastifyRequest, format: IngestFormat): LineOptions {
  if (format === 'segment') return { ...piece(parsedQuery(callIngestQuerySchema, query)), subject: null };
  const http = parsedQuery(httpIngestQuerySchema, query);
  return { ...piece(http), subject: http.subject ?? null };
}

function piece({ batch, first_line: firstLine }: z.infer<typeof callIngestQuerySchema>): Omit<LineOptions, 'subject'> {
  return { batch: batch ?? null, firstLine: firstLine === undefined ? 1 : Number.parseInt(firstLine, 10) };
}

function parsedQuery<Schema extends z.ZodType>(schema: Schema, query: unknown): z.output<Schema> {
  const parsed = schema.safeParse(query);
  if (!parsed.success) throw invalidInput(parsed.error.issues as Parameters<typeof invalidInput>[0]);
  return parsed.data;
}
