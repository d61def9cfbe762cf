import type { Verdict } from '#domain';

/** A copy of an event as it came out of the log, ready to be stored. */
export interface StoredCopy {
  readonly organizationId: string;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** RFC 3339, UTC, six digits. */
  readonly time: string;
  readonly timeGiven: boolean;
  readonly receivedAt: string;
  readonly appendedAt: Temporal.Instant;
  readonly payloadHash: string;
  readonly partition: number;
  readonly position: bigint;
  /** Stored form of data. */
  readonly data: string;
  /** 64 bits of the identity's hash. */
  readonly identityHash: bigint;
}

/** A counted event, whatever became of it. */
export interface CountedEvent extends Omit<StoredCopy, 'identityHash'> {
  /** Stored form of the data that it came with; `data` is what it has now. */
  readonly originalData: string;
}

export interface JudgedCopy {
  readonly copy: StoredCopy;
  readonly verdict: Verdict;
}
