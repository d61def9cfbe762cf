import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem, type Logger } from '#platform';
import type { EventsAnswerBody } from '#contracts';
import { encodeExportResponse, encodeStatus } from '../formats/otlp-protobuf.js';
import { otlpLogs } from '../formats/otlp-logs.js';
import { loggedProblem } from './logged-problem.js';
import { parseMediaType } from './media-type.js';
import type { TakeEvents } from './take-events.js';

const protobufType = 'application/x-protobuf';
const jsonType = 'application/json';

/**
 * `POST /v1/logs`: OTLP over HTTP. Senders repeat a request on 429, 502, 503 and 504 alone, so whatever is refused for good
 * is counted in a 200; only a body that is no request is a 400. Every answer is in the encoding of the request.
 */
export function registerOtlpRoute(scope: FastifyInstance, { takeEvents, logger }: { readonly takeEvents: TakeEvents; readonly logger: Logger }): void {
  scope.post(
    '/v1/logs',
    {
      errorHandler: (error, request, reply): void => {
        const problem = loggedProblem(error, { request, logger });
        const status = { code: grpcCode(problem.status), message: problem.detail };
        void send(reply.status(problem.status).headers(problem.headers), { isProtobuf: isProtobuf(request), json: status, protobuf: () => encodeStatus(status) });
      },
    },
    async (request, reply) => {
      const encoding = encodingOf(request);
      const partial = partialSuccess(await takeEvents(request, { read: (body) => otlpLogs(body, encoding), keepsAllRefused: true }));
      const json = partial === null ? {} : { partialSuccess: { rejectedLogRecords: String(partial.rejected), errorMessage: partial.message } };
      return send(reply.status(200), { isProtobuf: encoding === 'protobuf', json, protobuf: () => encodeExportResponse(partial) });
    },
  );
}

function encodingOf(request: FastifyRequest): 'json' | 'protobuf' {
  if (isProtobuf(request)) return 'protobuf';
  if (parseMediaType(request.headers['content-type'])?.type === jsonType) return 'json';
  throw new Problem({ status: 415, code: 'unsupported_media_type', detail: `Send ${jsonType} or ${protobufType}.` });
}

function isProtobuf({ headers }: FastifyRequest): boolean {
  const type = parseMediaType(headers['content-type'])?.type;
  return type === protobufType || type === 'application/protobuf';
}

function partialSuccess({ rejected }: EventsAnswerBody): { rejected: number; message: string } | null {
  const [first] = rejected;
  if (first === undefined) return null;
  return { rejected: rejected.length, message: `${rejected.length} refused, kept in the dead letters. The first one (record ${first.index}): ${first.detail}` };
}

/** Codes of google.rpc.Code. */
const grpcCodes: Readonly<Record<number, number>> = { 401: 16, 403: 7, 404: 5, 429: 8, 500: 13, 503: 14 };

function grpcCode(status: number): number {
  return grpcCodes[status] ?? 3; // INVALID_ARGUMENT
}

function send(reply: FastifyReply, answer: { readonly isProtobuf: boolean; readonly json: object; readonly protobuf: () => Uint8Array }): FastifyReply {
  return answer.isProtobuf ? reply.type(protobufType).send(Buffer.from(answer.protobuf())) : reply.type(jsonType).send(answer.json);
}
