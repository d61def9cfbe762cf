import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { liveEventsQuerySchema, meterUsageQuerySchema, type LiveEventsQuery, type MeterUsageQuery } from '#contracts';
import {
  authenticateRequest, checkedQuery, credentialOf, principalOf, Problem, sendEventStream, sendProblem, StreamPlaces, toProblem, valueOrProblem, type Authenticator, type Logger, type StreamMessage,
} from '#platform';
import type { LiveEvents } from '../live-events.js';
import type { LiveUsage } from '../live-usage.js';
import { toEvent, toMeterUsage } from './reading-bodies.js';
import { decodePlace, encodePlace } from './live-place.js';

export interface LiveRoutesDependencies {
  readonly liveEvents: LiveEvents;
  readonly liveUsage: LiveUsage;
  readonly authenticator: Authenticator;
  readonly logger: Logger;
  readonly streamsPerOrganizationMax?: number;
}

const streamsPerOrganizationMaxDefault = 20;
/** The front keeps 256 connections to a process: streams leave room for everything else. */
const streamsMax = 150;
const retryAfterSeconds = 10;

type Messages = (signal: AbortSignal) => AsyncGenerator<StreamMessage | null>;

/** Registers the routes that stream, on the Fastify instance itself: they answer for as long as somebody listens. */
export function registerLiveRoutes(fastify: FastifyInstance, deps: LiveRoutesDependencies): void {
  const places = new StreamPlaces({ perOrganizationMax: deps.streamsPerOrganizationMax ?? streamsPerOrganizationMaxDefault, totalMax: streamsMax });
  const stopping = new AbortController();
  fastify.addHook('preClose', async () => stopping.abort());

  const stream = async (request: FastifyRequest, reply: FastifyReply, open: () => Promise<Messages>): Promise<void> => {
    const { organizationId } = principalOf(request);
    const giveBack = places.take(organizationId);
    if (giveBack === null) throw tooManyStreams();
    try {
      const messages = await open();
      await sendEventStream({ request, reply }, { messages, isAllowed: () => isAllowed(request, deps.authenticator), stopping: stopping.signal });
    } catch (error) {
      if (!reply.sent) throw error;
      deps.logger.error({ err: error, request_id: request.id }, 'A stream broke off.');
    } finally {
      giveBack();
    }
  };

  void fastify.register((scope, _options, done) => {
    scope.addHook('onRequest', async (request) => {
      await authenticateRequest(request, deps.authenticator, 'usage:read');
    });
    scope.setErrorHandler((error, _request, reply) => sendProblem(reply, toProblem(error)));
    scope.get('/v1/events/live', (request, reply) => stream(request, reply, () => openEvents(request, deps)));
    scope.get<{ Params: { meter: string } }>('/v1/meters/:meter/usage/live', (request, reply) => stream(request, reply, () => openUsage(request, request.params.meter, deps)));
    done();
  });
}

async function openEvents(request: FastifyRequest, { liveEvents }: LiveRoutesDependencies): Promise<Messages> {
  const query: LiveEventsQuery = await checkedQuery(request, liveEventsQuerySchema);
  const lastId = lastIdOf(request);
  const after = lastId === null ? null : decodePlace(lastId);
  if (lastId !== null && after === null) throw unknownId();
  const { type = null, subject = null, source = null, customer = null } = query;
  const events = valueOrProblem(await liveEvents.open(principalOf(request).organizationId, { type, subject, source, customer, after }), { not_found: 404 });
  return async function* messages(signal) {
    for await (const live of events(signal)) yield live === null ? null : { id: encodePlace(live.place), event: 'event', data: JSON.stringify(toEvent(live.event)) };
  };
}

async function openUsage(request: FastifyRequest, meter: string, { liveUsage }: LiveRoutesDependencies): Promise<Messages> {
  const query: MeterUsageQuery = await checkedQuery(request, meterUsageQuerySchema);
  const { organizationId } = principalOf(request);
  const states = valueOrProblem(await liveUsage.open({ organizationId, meter, query }, lastIdOf(request)), { not_found: 404, invalid_request: 422, result_too_large: 422 });
  return async function* messages(signal) {
    for await (const state of states(signal)) yield state === null ? null : { id: state.digest, event: 'usage', data: JSON.stringify(toMeterUsage(state.usage)) };
  };
}

/** What a client that comes back saw last; EventSource sends it by itself. */
function lastIdOf({ headers }: FastifyRequest): string | null {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : null;
}

async function isAllowed(request: FastifyRequest, authenticator: Authenticator): Promise<boolean> {
  const credential = credentialOf(request);
  const principal = credential === null ? null : await authenticator.authenticate(credential);
  return principal?.scopes.has('usage:read') === true;
}

function tooManyStreams(): Problem {
  return new Problem({
    status: 429, code: 'too_many_streams', detail: 'As many streams are open as may be. Close one, or try again.', headers: { 'retry-after': String(retryAfterSeconds) },
  });
}

function unknownId(): Problem {
  return new Problem({
    status: 422, code: 'invalid_request', detail: 'The stream can not go on there.', errors: [{ pointer: '/last-event-id', code: 'unknown_cursor', detail: 'Send the id of a message of this stream, or none.' }],
  });
}
