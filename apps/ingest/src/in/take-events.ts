import type { FastifyRequest } from 'fastify';
import type { EventsAnswerBody } from '#contracts';
import { principalOf } from '#platform';
import type { AcceptedBatch, AcceptEvents } from '../accept-events.js';
import type { ReceivedBatch } from '../received-batch.js';
import type { WithBody } from './with-body.js';

export interface TakeEventsOptions<Batch extends ReceivedBatch = ReceivedBatch> {
  /** Takes the body apart; a Problem that it throws refuses the request as a whole. */
  readonly read: (body: Buffer) => Batch;
  /** Whether the sender gets 2xx also where nothing is acceptable, so that what was refused has to be kept. */
  readonly keepsAllRefused: boolean;
}

export interface TakenBatch<Batch extends ReceivedBatch> {
  readonly batch: Batch;
  readonly outcome: AcceptedBatch;
}

/** Takes in what a request holds: its body within the budget, its events for the caller's organization. */
export type TakeBatch = <Batch extends ReceivedBatch>(request: FastifyRequest, options: TakeEventsOptions<Batch>) => Promise<TakenBatch<Batch>>;

/** The same for routes whose answer is what was accepted and refused. */
export type TakeEvents = (request: FastifyRequest, options: TakeEventsOptions) => Promise<EventsAnswerBody>;

export function batchTaker({ acceptEvents, withBody }: { readonly acceptEvents: AcceptEvents; readonly withBody: WithBody }): TakeBatch {
  return (request, { read, keepsAllRefused }) =>
    withBody(request, async (body) => {
      const batch = read(body);
      return { batch, outcome: await acceptEvents.accept({ organizationId: principalOf(request).organizationId, batch, keepsAllRefused }) };
    });
}

export function eventTaker(takeBatch: TakeBatch): TakeEvents {
  return async (request, options) => {
    const { outcome: { accepted, rejected } } = await takeBatch(request, options);
    return { accepted, rejected };
  };
}
