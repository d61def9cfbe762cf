import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { deadLetterDiscardSchema, deadLetterReplaySchema, deadLettersDiscardSchema, deadLettersReplaySchema, type DeadLetterReplayedBody } from '#contracts';
import { hasInexactNumber, parseExactNumbers } from '#domain';
import { exactJsonValue } from '#persistence';
import { principalOf, valueOrProblem } from '#platform';
import { DiscardDeadLetter, type DiscardRefusal } from '../discard-dead-letter.js';
import { bodyText } from '../formats/body-text.js';
import { parseJson } from '../formats/json-events.js';
import { ReplayDeadLetter, type ReplayDeadLetterDependencies, type ReplayedLetter, type ReplayRefusal } from '../replay-dead-letter.js';
import { WorkDownDeadLetters, type WorkDownDependencies } from '../work-down-dead-letters.js';
import { nothingAccepted } from './nothing-accepted.js';
import { parsedInput } from './parsed-input.js';
import type { WithBody } from './with-body.js';

export interface DeadLetterRoutesDependencies extends ReplayDeadLetterDependencies, Pick<WorkDownDependencies, 'listDeadLetters'> {
  readonly withBody: WithBody;
}

const replayStatuses: Readonly<Record<ReplayRefusal, number>> = { not_found: 404, not_replayable: 409, already_replayed: 409 };
const discardStatuses: Readonly<Record<DiscardRefusal, number>> = { not_found: 404, already_replayed: 409 };

/** What is done with dead letters: they change by the log, so it is shown a moment after the answer. */
export function registerDeadLetterRoutes(scope: FastifyInstance, deps: DeadLetterRoutesDependencies): void {
  const replayDeadLetter = new ReplayDeadLetter(deps);
  const discardDeadLetter = new DiscardDeadLetter(deps);
  const textOf = (request: FastifyRequest): Promise<string> => deps.withBody(request, (body) => Promise.resolve(bodyText(body)));
  const workDown = new WorkDownDeadLetters({ listDeadLetters: deps.listDeadLetters, replayDeadLetter, discardDeadLetter });

  scope.post<{ Params: { id: string } }>('/v1/dead-letters/:id/replay', async (request, reply) => {
    const text = await textOf(request);
    const outcome = await replayDeadLetter.execute({ ...callerOf(request), deadLetterId: request.params.id, correctedEvent: text.trim() === '' ? undefined : correctedEventOf(text) });
    const replayed = valueOrProblem(outcome, replayStatuses);
    if (replayed.replayedAs === null) throw nothingAccepted(replayed.answer);
    return reply.status(202).send(toReplayed(replayed));
  });

  scope.post<{ Params: { id: string } }>('/v1/dead-letters/:id/discard', async (request, reply) => {
    const { reason = null } = await bodyOr(request, deadLetterDiscardSchema);
    const { organizationId, credentialId } = callerOf(request);
    const outcome = await discardDeadLetter.execute({ organizationId, deadLetterId: request.params.id }, { reason, credentialId });
    return reply.status(202).send(valueOrProblem(outcome, discardStatuses));
  });

  scope.post('/v1/dead-letters/replay', async (request, reply) => {
    return reply.status(202).send(await workDown.replay(callerOf(request), await bodyOr(request, deadLettersReplaySchema)));
  });

  scope.post('/v1/dead-letters/discard', async (request, reply) => {
    return reply.status(202).send(await workDown.discard(callerOf(request), await bodyOr(request, deadLettersDiscardSchema)));
  });

  const bodyOr = async <Schema extends z.ZodType>(request: FastifyRequest, schema: Schema): Promise<z.infer<Schema>> => {
    const text = await textOf(request);
    return parsedInput(schema, text.trim() === '' ? {} : parseJson(text));
  };
}

/** The event of the body with all its digits. */
function correctedEventOf(text: string): unknown {
  const value = parseJson(text);
  parsedInput(deadLetterReplaySchema, value);
  return ((hasInexactNumber(text) ? parseExactNumbers(text) : value) as { event: unknown }).event;
}

function callerOf(request: FastifyRequest): { organizationId: string; credentialId: string } {
  const { organizationId, credentialId } = principalOf(request);
  return { organizationId, credentialId };
}

function toReplayed({ answer, replayedAs, changes }: ReplayedLetter): DeadLetterReplayedBody {
  return {
    ...answer,
    replayed_as: replayedAs,
    changes: changes.map(({ pointer, from, to }) => ({ pointer, ...(from === null ? {} : { from: exactJsonValue(from) }), ...(to === null ? {} : { to: exactJsonValue(to) }) })),
  };
}
