import { bumpMarks, type Cell, type Database } from '#persistence';
import { GroupCommit, type Call } from '#platform';

const cellsPerGroupMax = 10_000;

interface MarkCall extends Call {
  readonly cells: readonly Cell[];
}

/**
 * Marks cells for batches that are counted at the same time: while one transaction runs, the cells of all others wait for the next. A
 * mark has no owner, so a cell of two batches is marked once for both.
 */
export class MarkCells {
  private readonly group: GroupCommit<MarkCall, void>;

  constructor(private readonly database: Database) {
    const bounds = { flushRecordsMax: cellsPerGroupMax, flushBytesMax: Infinity, pendingRecordsMax: Infinity, pendingBytesMax: Infinity };
    this.group = new GroupCommit((calls) => this.flush(calls), bounds);
  }

  /** They are marked once it resolves. */
  async execute(cells: readonly Cell[]): Promise<void> {
    if (cells.length > 0) await this.group.write({ records: cells.length, bytes: 0, cells });
  }

  private async flush(calls: readonly MarkCall[]): Promise<void[]> {
    const cells = new Map(calls.flatMap((call) => call.cells).map((cell) => [keyOf(cell), cell]));
    await this.database.acrossOrganizations((manager) => bumpMarks(manager, [...cells.values()]));
    return calls.map(() => undefined);
  }
}

/** Equal for equal cells only: none but the type, which is last, has a blank. */
function keyOf({ organizationId, eventType, hour, bucket }: Cell): string {
  return `${bucket} ${hour} ${organizationId} ${eventType}`;
}
