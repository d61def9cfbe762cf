import { beforeAll, describe, expect, it } from 'vitest';
import { letQueuesRest, requestQueueClass, type RequestQueue, type RequestQueueClass } from './resting-queues.js';

// Goal: kafkajs sets no timer while nothing waits, and still sends what waits. Method: its own queue of requests, without a broker.

interface WholeQueue extends RequestQueue {
  readonly throttleCheckTimeoutId: NodeJS.Timeout | null;
  push(request: object): void;
  fulfillRequest(response: { readonly correlationId: number; readonly payload: Buffer; readonly size: number }): void;
  maybeThrottle(durationMs: number): void;
  destroy(): void;
}

let queue: WholeQueue;
let sent: { readonly nth: number; readonly promise: Promise<void> }[];

beforeAll(() => {
  letQueuesRest();
  letQueuesRest(); // A second time changes nothing.
});

function open(maxInFlightRequests: number | null): void {
  const Queue = requestQueueClass() as unknown as RequestQueueClass & (new (options: object) => WholeQueue);
  const logger = { debug: () => undefined, warn: () => undefined };
  queue = new Queue({ maxInFlightRequests, requestTimeout: 1_000, enforceRequestTimeout: false, clientId: 'spec', broker: 'none', logger });
  sent = [];
}

/** The promise resolves once it is sent. */
function push(nth: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const entry = { correlationId: nth, apiKey: 1, apiName: 'Spec', apiVersion: 0, resolve: () => undefined, reject: () => undefined };
  queue.push({ entry, expectResponse: true, sendRequest: () => {
    sent.push({ nth, promise });
    resolve();
  } });
  return promise;
}

function answer(nth: number): void {
  queue.fulfillRequest({ correlationId: nth, payload: Buffer.alloc(0), size: 0 });
}

describe('a queue of requests', () => {
  it('sets no timer while nothing waits', () => {
    open(null);
    void push(1);
    answer(1);
    expect([sent.map(({ nth }) => nth), queue.throttleCheckTimeoutId]).toEqual([[1], null]);
  });

  it('sends what waited for room, in order, as room comes', async () => {
    open(1);
    void push(1);
    const [second, third] = [push(2), push(3)];
    expect(sent.map(({ nth }) => nth)).toEqual([1]);
    answer(1);
    await second;
    answer(2);
    await third;
    answer(3);
    expect(sent.map(({ nth }) => nth)).toEqual([1, 2, 3]);
    queue.destroy();
  });

  it('sends what waited for the end of a throttling, by itself', async () => {
    open(null);
    queue.maybeThrottle(30);
    const waiting = push(1);
    expect(sent).toEqual([]);
    await waiting;
    expect(sent.map(({ nth }) => nth)).toEqual([1]);
    queue.destroy();
  });
});
