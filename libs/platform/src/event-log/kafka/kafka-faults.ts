import kafkajs from 'kafkajs';

import { Fault } from '../../errors/fault.js';

// Node finds only some of kafkajs' names by itself.
const { KafkaJSAggregateError, KafkaJSProtocolError } = kafkajs;

/** The group has moved on without this member, or is about to: it joins again and gets the records again. */
const MEMBERSHIP_OVER = new Set(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS', 'FENCED_INSTANCE_ID']);

/** What went wrong with the brokers, as callers of the port see it. */
export function faultOfKafka(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const root = rootOf(error);
  const detail = root instanceof Error ? root.message : String(root);
  if (isRefusal(root)) {
    return new Fault({ code: 'log_refused', detail: `The event log's broker refused: ${detail}`, retryable: false, cause: error });
  }
  return new Fault({ code: 'log_unavailable', detail: `The event log's broker is not available: ${detail}`, retryable: true, cause: error });
}

/** Whether a failed commit says that the partition belongs, or will belong, to someone else. */
export function isMembershipOver(error: unknown): boolean {
  return MEMBERSHIP_OVER.has(protocolTypeOf(error) ?? '');
}

export function isTopicUnknown(error: unknown): boolean {
  return protocolTypeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION';
}

/** Whatever the broker did not answer with a final error code is a connection that failed, or passes with time. */
function isRefusal(root: unknown): boolean {
  return root instanceof KafkaJSProtocolError && !root.retriable && !MEMBERSHIP_OVER.has(root.type);
}

function protocolTypeOf(error: unknown): string | undefined {
  const root = rootOf(error);
  return root instanceof KafkaJSProtocolError ? root.type : undefined;
}

/** kafkajs wraps an error once for each of its retries' layers. */
function rootOf(error: unknown): unknown {
  let root = error;
  for (;;) {
    if (root instanceof KafkaJSProtocolError) return root;
    if (root instanceof KafkaJSAggregateError) root = (root as { readonly errors: readonly unknown[] }).errors[0];
    else if (root instanceof Error && root.cause instanceof Error) root = root.cause;
    else return root;
  }
}
