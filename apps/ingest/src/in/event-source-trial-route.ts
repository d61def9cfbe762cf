import type { FastifyInstance } from 'fastify';
import { eventMappingOf, eventSourceTrialSchema, sampleEventsMax, type EventSourceTrialBody, type EventSourceTrialInput } from '#contracts';
import { mappingFaults } from '#domain';
import { exactJsonValue, type FindEventSource } from '#persistence';
import { assert, authenticateRequest, principalOf, Problem, sendProblem, type Authenticator, type InputFault, type Logger } from '#platform';
import { bodyText } from '../formats/body-text.js';
import { readSource, type SourceReading } from '../formats/ingest-formats.js';
import { parseJson } from '../formats/json-events.js';
import type { ReceivedBatch } from '../received-batch.js';
import { TryEntries, type EntriesTrial, type TryEntriesDependencies } from '../try-entries.js';
import { chosenSource } from './chosen-source.js';
import { loggedProblem } from './logged-problem.js';
import { requiredType, takesJson } from './media-type.js';
import { parsedInput } from './parsed-input.js';
import { readBodiesAsBytes } from './read-body.js';
import type { WithBody } from './with-body.js';

export interface EventSourceTrialDependencies extends TryEntriesDependencies {
  readonly authenticator: Authenticator;
  readonly logger: Logger;
  readonly withBody: WithBody;
  /** As they are now: whoever changes a source tries it at once. */
  readonly readEventSource: FindEventSource;
}

/** `POST /v1/event-sources/try`. It shows meters and stored mappings, so a key that only reports usage is not enough. */
export function registerEventSourceTrialRoute(fastify: FastifyInstance, deps: EventSourceTrialDependencies): void {
  const tryEntries = new TryEntries(deps);
  void fastify.register((scope, _options, done) => {
    readBodiesAsBytes(scope);
    scope.addHook('onRequest', async (request) => {
      await authenticateRequest(request, deps.authenticator, 'catalog:read');
    });
    scope.setErrorHandler((error, request, reply) => sendProblem(reply, loggedProblem(error, { request, logger: deps.logger })));
    scope.post('/v1/event-sources/try', async (request, reply) => {
      requiredType(request.headers, takesJson);
      const { organizationId } = principalOf(request);
      const trial = await deps.withBody(request, async (body) => {
        const input = parsedInput(eventSourceTrialSchema, parseJson(bodyText(body)));
        const source = await triedSource(input, { organizationId, readEventSource: deps.readEventSource });
        return tryEntries.execute(organizationId, sampleOf(source, input.body));
      });
      return reply.status(200).send(toTrialBody(trial));
    });
    done();
  });
}

async function triedSource(input: EventSourceTrialInput, { organizationId, readEventSource }: { readonly organizationId: string; readonly readEventSource: FindEventSource }): Promise<SourceReading> {
  const { format } = input;
  if (input.source_key !== undefined) return chosenSource(readEventSource, { organizationId, sourceKey: input.source_key, format: format ?? null });
  assert(format !== undefined, 'A trial without an event source has a format.');
  const mapping = eventMappingOf(input);
  const faults = mappingFaults(mapping, format !== 'json');
  if (faults.length > 0) throw untryable('This mapping makes no events.', faults);
  return { format, source: input.source ?? input.key ?? format, mapping };
}

function sampleOf(source: SourceReading, text: string): ReceivedBatch {
  const batch = readSource(source, Buffer.from(text));
  const { length } = batch.events;
  if (length > sampleEventsMax) throw untryable('The sample is too long.', [{ pointer: '/body', code: 'too_many_events', detail: `A sample has at most ${sampleEventsMax} entries; this one has ${length}.` }]);
  return batch;
}

function untryable(detail: string, errors: readonly InputFault[]): Problem {
  return new Problem({ status: 422, code: 'invalid_request', detail, errors });
}

function toTrialBody({ events, rejected }: EntriesTrial): EventSourceTrialBody {
  return {
    object: 'event_source_trial',
    events: events.map(({ index, line, event: { timeGiven, data, ...event }, state, meters, reasons }) => ({
      index,
      ...(line === undefined ? {} : { line }),
      event: { ...event, data: exactJsonValue(data) as Record<string, unknown> },
      time_given: timeGiven,
      state,
      meters: meters.map(({ group, ...counted }) => ({ ...counted, group: { ...group } })),
      reasons: [...reasons],
    })),
    rejected: [...rejected],
  };
}
