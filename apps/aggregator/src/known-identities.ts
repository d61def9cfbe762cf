import type { IdentityIndex } from '#persistence';
import type { Clock, Logger } from '#platform';
import { GrowingFilter } from './growing-filter.js';

interface PartitionState {
  /** The position after the last batch that this process handled itself. */
  nextPosition: bigint;
  /** Null until it has been built: until then every identity may be known. */
  filter: GrowingFilter | null;
  building: GrowingFilter | null;
  builtAt: Temporal.Instant | null;
}

/** Identities older than the window leave the filter when it is built again. */
const rebuildAfter = { hours: 24 };
/** A failed building is tried again with a later batch. */
const retryAfter = { seconds: 30 };

/** What one batch asks and tells. */
export interface BatchIdentities {
  /** False only for identities that were never counted in this partition within the window. */
  mayBeKnown(hash: bigint): boolean;
  add(hash: bigint): void;
  /** The batch was handled up to here. */
  handled(nextPosition: bigint): void;
}

/**
 * Spares the look-up for identities that are new, which nearly all are. Each partition has its filter, built from the
 * index in the background. Another process may have counted what lies between two batches of this one, so a gap in the
 * positions throws the filter away.
 */
export class KnownIdentities {
  private readonly partitions = new Map<number, PartitionState>();

  constructor(private readonly use: { readonly index: IdentityIndex; readonly clock: Clock; readonly logger: Logger }) {}

  open(partition: number, firstPosition: bigint): BatchIdentities {
    const known = this.partitions.get(partition);
    const state = known !== undefined && firstPosition <= known.nextPosition ? known : { nextPosition: firstPosition, filter: null, building: null, builtAt: null };
    this.partitions.set(partition, state);
    if (state.building === null && this.isStale(state)) void this.build(partition, state);
    return {
      mayBeKnown: (hash) => state.filter?.mayHave(hash) ?? true,
      add: (hash) => {
        state.filter?.add(hash);
        state.building?.add(hash);
      },
      handled: (nextPosition) => {
        if (nextPosition > state.nextPosition) state.nextPosition = nextPosition;
      },
    };
  }

  private isStale(state: PartitionState): boolean {
    if (state.builtAt === null) return true;
    const due = state.builtAt.add(state.filter === null ? retryAfter : rebuildAfter);
    return Temporal.Instant.compare(due, this.use.clock.now()) <= 0;
  }

  private async build(partition: number, state: PartitionState): Promise<void> {
    const building = new GrowingFilter();
    state.building = building;
    state.builtAt = this.use.clock.now();
    try {
      for await (const hashes of this.use.index.hashes(partition)) {
        if (this.partitions.get(partition) !== state) return;
        for (const hash of hashes) building.add(hash);
      }
      state.filter = building;
    } catch (error) {
      // Without it each identity is looked up, which is right as well.
      this.use.logger.warn({ err: error, partition }, 'The filter of known identities could not be built; it is tried again.');
    } finally {
      state.building = null;
    }
  }
}
