import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { eventsBodySizeMax } from '#contracts';
import { Turns } from '#platform';
import { readBody } from './read-body.js';
import { RequestBudget } from './request-budget.js';

/** Bytes from which a body is large: what it is read into may take thirty times as much. */
const largeBodySize = 2 * 1_024 * 1_024;
/** Large ones that are worked on at once. While one waits for the log, another is read. */
const largeBodiesMax = 2;

/** Works on a request's body, which stays within the budget of all requests until the work is done. */
export type WithBody = <T>(request: FastifyRequest, work: (body: Buffer) => Promise<T>) => Promise<T>;

/** All routes share one, and with it one budget. */
export function withBodyWithin(bodyBytesMax: number): WithBody {
  const budget = new RequestBudget(bodyBytesMax);
  const largeBodies = new Turns(largeBodiesMax);
  return async (request, work) => {
    const lease = budget.lease();
    try {
      const body = await readBody(request.body as Readable | undefined, { contentEncoding: request.headers['content-encoding'], sizeMax: eventsBodySizeMax, lease });
      return body.length < largeBodySize ? await work(body) : await largeBodies.take(() => work(body));
    } finally {
      lease.release();
    }
  };
}
