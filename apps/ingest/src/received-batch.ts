import type { EventFault, EventFieldNames } from '#domain';

/** One event of a request before it is checked. */
export interface ReceivedEvent {
  /** Parsed, its numbers exact. Undefined where it could not be read at all; then `faults` says why. */
  readonly value: unknown;
  /** What the format itself found wrong, before the event is checked. */
  readonly faults?: readonly EventFault[];
  /** What the sender calls the parts of `value`, where their format has names of its own. */
  readonly names?: EventFieldNames;
  /** Number of the line, where the request has lines. */
  readonly line?: number;
  /** Whose event it is, where that is known although it can't be read. */
  readonly identity?: { readonly source: string; readonly id: string };
}

/** What a format made of a request's body. */
export interface ReceivedBatch {
  readonly events: readonly ReceivedEvent[];
  /** What was sent for one event, as text. */
  readonly payloadOf: (index: number) => string;
  /** The id of the Firehose request that the body is; its answer has to repeat it. */
  readonly firehoseRequestId?: string;
}
