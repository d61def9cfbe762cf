import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { callIngestQuerySchema, httpIngestQuerySchema, ingestFormats, type IngestFormat } from '#contracts';
import type { FindEventSource } from '#persistence';
import { principalOf, type Clock, type Logger } from '#platform';
import { readFormat, readSource } from '../formats/ingest-formats.js';
import type { LineOptions } from '../formats/line-identity.js';
import type { ReceivedBatch } from '../received-batch.js';
import { chosenSource } from './chosen-source.js';
import { loggedProblem } from './logged-problem.js';
import { parsedInput } from './parsed-input.js';
import type { TakeEvents } from './take-events.js';

export interface FormatRoutesDependencies {
  readonly takeEvents: TakeEvents;
  readonly findEventSource: FindEventSource;
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
      const read = await bodyReader(request, { format, findEventSource: deps.findEventSource });
      const answer = await deps.takeEvents(request, { read, keepsAllRefused: true });
      return reply.status(202).send(answer);
    });
  }
  registerAwsRoute(scope, deps);
}

/** Takes Firehose's requests beside plain ones, and answers them as Firehose demands, or it sends them again for hours. */
function registerAwsRoute(scope: FastifyInstance, { takeEvents, findEventSource, clock, logger }: FormatRoutesDependencies): void {
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
      const read = await bodyReader(request, { format: 'aws-api-gateway', findEventSource });
      let requestId = firehoseHeader(request);
      const readWithId = (body: Buffer): ReceivedBatch => {
        const batch = read(body);
        requestId ??= batch.firehoseRequestId ?? null;
        return batch;
      };
      const taken = await takeEvents(request, { read: readWithId, keepsAllRefused: true });
      return requestId === null ? reply.status(202).send(taken) : answer(reply, { status: 200, requestId });
    },
  );
}

function firehoseHeader({ headers }: FastifyRequest): string | null {
  const requestId = headers['x-amz-firehose-request-id'];
  return typeof requestId === 'string' ? requestId : null;
}

type BodyReader = (body: Buffer) => ReceivedBatch;

/** How the body of a request is read: as its format is, or as the event source says that it names. */
async function bodyReader(request: FastifyRequest, { format, findEventSource }: { readonly format: IngestFormat; readonly findEventSource: FindEventSource }): Promise<BodyReader> {
  const { sourceKey, ...options } = lineQuery(request.query, format);
  if (sourceKey === undefined) return (body) => readFormat(format, body, options);
  const source = await chosenSource(findEventSource, { organizationId: principalOf(request).organizationId, sourceKey, format });
  return (body) => readSource(source, body);
}

function lineQuery(query: unknown, format: IngestFormat): LineOptions & { readonly sourceKey: string | undefined } {
  // Calls of Segment are no HTTP requests: they have neither client nor user.
  const { subject, ...fields } = format === 'segment' ? { subject: undefined, ...parsedInput(callIngestQuerySchema, query) } : parsedInput(httpIngestQuerySchema, query);
  return {
    batch: fields.batch ?? null,
    firstLine: fields.first_line === undefined ? 1 : Number.parseInt(fields.first_line, 10),
    subject: subject ?? null,
    sourceKey: fields.source_key,
  };
}
