import { createRequire } from 'node:module';

/** What kafkajs sends through a connection, as far as it is seen here. */
export interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

export interface RequestQueueClass {
  readonly prototype: RequestQueue;
}

let areResting = false;

/** No type of kafkajs names it. The version is pinned, and without the file nothing that speaks to Kafka starts. */
export function requestQueueClass(): RequestQueueClass {
  return createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as RequestQueueClass;
}

/**
 * Lets kafkajs rest while it has nothing to send. kafkajs 2.2.4 looks for waiting requests again and again on every connection: the time
 * until its next look is computed from a throttling that never was, so it is negative, and Node, which warns of it, makes that a
 * millisecond. A thousand looks a second for each connection took most of an idle process' CPU. Where requests wait, the time is right.
 */
export function letQueuesRest(): void {
  if (areResting) return;
  areResting = true;
  const { prototype } = requestQueueClass();
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function scheduleWhereSomeWait(this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}
