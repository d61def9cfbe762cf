import type { LineUsageProof } from '#domain';

/** How a line's table keeps what its events are. */
export interface ProofColumns {
  readonly usage_events: string | null;
  readonly usage_digest: string | null;
}

export function toProofColumns(usage: LineUsageProof | undefined): ProofColumns {
  return { usage_events: usage?.events.toString() ?? null, usage_digest: usage?.digest ?? null };
}

export function fromProofColumns({ usage_events: events, usage_digest: digest }: ProofColumns): LineUsageProof | undefined {
  return events === null || digest === null ? undefined : { events: BigInt(events), digest };
}
