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
 * Spares the look-up for identities that are new, which nearly all are. Each partition has its filter, built from the index in the
 * background; partitions that wait for theirs at the same time share one reading of it. Another process may have counted what lies between
 * two batches of this one, so a gap in the positions throws the filter away.
 */
export class KnownIdentities {
  private readonly partitions = new Map<number, PartitionState>();
  private readonly waiting = new Map<number, PartitionState>();
  private isBuilding = false;

  constructor(private readonly use: { readonly index: IdentityIndex; readonly clock: Clock; readonly logger: Logger }) {}

  open(partition: number, firstPosition: bigint): BatchIdentities {
    const known = this.partitions.get(partition);
    const state = known !== undefined && firstPosition <= known.nextPosition ? known : { nextPosition: firstPosition, filter: null, building: null, builtAt: null };
    this.partitions.set(partition, state);
    if (state.building === null && this.isStale(state)) {
      state.building = new GrowingFilter(); // At once: what is added from now on may be missing in what will be read.
      state.builtAt = this.use.clock.now();
      this.waiting.set(partition, state);
    }
    if (this.waiting.size > 0 && !this.isBuilding) void this.buildWaiting();
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

  private async buildWaiting(): Promise<void> {
    this.isBuilding = true;
    while (this.waiting.size > 0) {
      const states = new Map(this.waiting);
      this.waiting.clear();
      await this.build(states);
    }
    this.isBuilding = false;
  }

  private async build(states: ReadonlyMap<number, PartitionState>): Promise<void> {
    const partitions = [...states.keys()];
    try {
      const counts = await this.use.index.counts(partitions);
      for (const [partition, state] of states) state.building?.makeRoom(counts.get(partition) ?? 0);
      const rows = [...counts.values()].reduce((sum, count) => sum + count, 0);
      for await (const hashes of this.use.index.hashes(partitions, rows)) {
        if (partitions.every((partition) => this.partitions.get(partition) !== states.get(partition))) return;
        for (const hash of hashes) states.get(hash.partition)?.building?.addHalves(hash);
      }
      for (const state of states.values()) state.filter = state.building;
    } catch (error) {
      // Without it each identity is looked up, which is right as well.
      this.use.logger.warn({ err: error, partitions }, 'The filters of known identities could not be built; it is tried again.');
    } finally {
      for (const state of states.values()) state.building = null;
    }
  }
}
