import type { CountedCopy } from '#domain';
import type { ClickHouse } from './clickhouse.js';
import { Placeholders, rfc3339Of } from './sql-builder.js';

/** A counted copy as the index keeps it: enough to judge a later copy, and to find its event. */
export interface IndexedCopy extends CountedCopy {
  readonly organizationId: string;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
}

interface Row {
  readonly organization_id: string;
  readonly source: string;
  readonly id: string;
  readonly event_type: string;
  readonly subject: string;
  readonly time: string;
  readonly time_given: boolean;
  readonly received_at: string;
  readonly payload_hash: string;
  readonly position: string;
}

/** Hashes in one query: their digits stay within the length of a statement. */
const hashesPerQueryMax = 5_000;

/** The identities that were counted, of one partition of the log at a time: all copies of an event are in one. */
export class IdentityIndex {
  constructor(private readonly clickhouse: ClickHouse) {}

  /** The counted copies with these hashes. A hash is shared by strangers once in a long while: the caller compares identities. */
  async find(partition: number, wanted: readonly { readonly organizationId: string; readonly identityHash: bigint }[]): Promise<IndexedCopy[]> {
    const found: IndexedCopy[] = [];
    for (let at = 0; at < wanted.length; at += hashesPerQueryMax) {
      const part = wanted.slice(at, at + hashesPerQueryMax);
      const placeholders = new Placeholders();
      const organizations = [...new Set(part.map(({ organizationId }) => organizationId))];
      const hashes = [...new Set(part.map(({ identityHash }) => identityHash))];
      const rows = await this.clickhouse.query<Row>({
        sql: `SELECT organization_id, source, id, event_type, subject, time, time_given, received_at, payload_hash, toString(position) AS position
              FROM event_copies
              WHERE organization_id IN ${placeholders.texts(organizations)} AND identity IN (${hashes.join(', ')})
                AND partition = ${partition} AND verdict = 'counted'`,
        parameters: placeholders.parameters,
      });
      found.push(...rows.map(toIndexedCopy));
    }
    return found;
  }

  /** The hashes of all counted identities of a partition that are still kept, in blocks; some perhaps twice. */
  async *hashes(partition: number): AsyncGenerator<bigint[]> {
    for await (const texts of this.clickhouse.texts({ sql: `SELECT identity FROM event_copies WHERE partition = ${partition} AND verdict = 'counted'` })) {
      yield texts.map(BigInt);
    }
  }
}

function toIndexedCopy(row: Row): IndexedCopy {
  return {
    organizationId: row.organization_id,
    source: row.source,
    id: row.id,
    type: row.event_type,
    subject: row.subject,
    time: rfc3339Of(row.time),
    timeGiven: row.time_given,
    receivedAt: rfc3339Of(row.received_at),
    payloadHash: row.payload_hash,
    position: BigInt(row.position),
  };
}
