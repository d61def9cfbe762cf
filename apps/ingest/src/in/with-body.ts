import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { eventsBodySizeMax } from '#contracts';
import { readBody } from './read-body.js';
import { RequestBudget } from './request-budget.js';

/** Works on a request's body, which stays within the budget of all requests until the work is done. */
export type WithBody = <T>(request: FastifyRequest, work: (body: Buffer) => Promise<T>) => Promise<T>;

/** All routes share one, and with it one budget. */
export function withBodyWithin(bodyBytesMax: number): WithBody {
  const budget = new RequestBudget(bodyBytesMax);
  return async (request, work) => {
    const lease = budget.lease();
    try {
      return await work(await readBody(request.body as Readable | undefined, { contentEncoding: request.headers['content-encoding'], sizeMax: eventsBodySizeMax, lease }));
    } finally {
      lease.release();
    }
  };
}
