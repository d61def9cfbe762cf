import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { eventsBodySizeMax, type EventsAnswerBody } from '#contracts';
import { principalOf } from '#platform';
import type { AcceptEvents } from '../accept-events.js';
import type { ReceivedBatch } from '../received-batch.js';
import { readBody } from './read-body.js';
import { RequestBudget } from './request-budget.js';

export interface TakeEventsOptions {
  /** Takes the body apart; a Problem that it throws refuses the request as a whole. */
  readonly read: (body: Buffer) => ReceivedBatch;
  /** Whether the sender gets 2xx also where nothing is acceptable, so that what was refused has to be kept. */
  readonly keepsAllRefused: boolean;
}

/** Takes in what a request holds: its body within the budget, its events for the caller's organization. */
export type TakeEvents = (request: FastifyRequest, options: TakeEventsOptions) => Promise<EventsAnswerBody>;

export function eventTaker({ acceptEvents, bodyBytesMax }: { readonly acceptEvents: AcceptEvents; readonly bodyBytesMax: number }): TakeEvents {
  const budget = new RequestBudget(bodyBytesMax);
  return async (request, { read, keepsAllRefused }) => {
    const lease = budget.lease();
    try {
      const body = await readBody(request.body as Readable | undefined, { contentEncoding: request.headers['content-encoding'], sizeMax: eventsBodySizeMax, lease });
      return await acceptEvents.execute({ organizationId: principalOf(request).organizationId, batch: read(body), keepsAllRefused });
    } finally {
      lease.release();
    }
  };
}
