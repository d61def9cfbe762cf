import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { eventsBodySizeMax, type EventsAnswerBody } from '#contracts';
import { principalOf } from '#platform';
import type { AcceptedBatch, AcceptEvents } from '../accept-events.js';
import type { ReceivedBatch } from '../received-batch.js';
import { readBody } from './read-body.js';
import { RequestBudget } from './request-budget.js';

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

/** All routes share one taker, and with it one budget. */
export function batchTaker({ acceptEvents, bodyBytesMax }: { readonly acceptEvents: AcceptEvents; readonly bodyBytesMax: number }): TakeBatch {
  const budget = new RequestBudget(bodyBytesMax);
  return async (request, { read, keepsAllRefused }) => {
    const lease = budget.lease();
    try {
      const body = await readBody(request.body as Readable | undefined, { contentEncoding: request.headers['content-encoding'], sizeMax: eventsBodySizeMax, lease });
      const batch = read(body);
      return { batch, outcome: await acceptEvents.accept({ organizationId: principalOf(request).organizationId, batch, keepsAllRefused }) };
    } finally {
      lease.release();
    }
  };
}

export function eventTaker(takeBatch: TakeBatch): TakeEvents {
  return async (request, options) => {
    const { outcome: { accepted, rejected } } = await takeBatch(request, options);
    return { accepted, rejected };
  };
}
