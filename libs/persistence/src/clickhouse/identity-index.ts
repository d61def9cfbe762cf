import type { Correction, CountedCopy } from '#domain';
import { assert } from '#platform';
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

/** A correction as far as its effect follows from it. */
export interface IndexedCorrection extends Correction {
  readonly organizationId: string;
  readonly source: string;
  readonly id: string;
  /** Stored form; null for a void. */
  readonly data: string | null;
}

export interface IndexedIdentities {
  readonly copies: readonly IndexedCopy[];
  readonly corrections: readonly IndexedCorrection[];
}

interface Row {
  readonly row_kind: 'copy' | Correction['kind'];
  readonly organization_id: string;
  readonly source: string;
  readonly id: string;
  readonly event_type: string;
  readonly subject: string;
  readonly event_time: string;
  readonly time_given: boolean;
  readonly received_at: string;
  readonly payload_hash: string;
  readonly position_text: string;
  readonly new_data: string;
  readonly sealed: string;
}

/** Hashes in one query: their digits stay within the length of a statement. */
const hashesPerQueryMax = 5_000;

const hashesPerAnswerMax = 4_000_000; // 40 MB, which the embedded engine holds whole.
const hashesEnd = 2n ** 64n;
const placedHashBytes = 10;

/** An identity's hash in two halves of 32 bits, and its partition of the log. */
export interface PlacedHash {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/** The identities that were counted or corrected, of one partition of the log at a time: all that is said of an event is in one. */
export class IdentityIndex {
  constructor(private readonly clickhouse: ClickHouse) {}

  /**
   * The counted copies with these hashes, and what corrects them, in one query. A hash is shared by strangers once in a long
   * while: the caller compares identities.
   */
  async find(partition: number, wanted: readonly { readonly organizationId: string; readonly identityHash: bigint }[]): Promise<IndexedIdentities> {
    const copies: IndexedCopy[] = [];
    const corrections: IndexedCorrection[] = [];
    for (let at = 0; at < wanted.length; at += hashesPerQueryMax) {
      const part = wanted.slice(at, at + hashesPerQueryMax);
      const placeholders = new Placeholders();
      const organizations = [...new Set(part.map(({ organizationId }) => organizationId))];
      const hashes = [...new Set(part.map(({ identityHash }) => identityHash))];
      const those = `organization_id IN ${placeholders.texts(organizations)} AND identity IN (${hashes.join(', ')}) AND partition = ${partition}`;
      const rows = await this.clickhouse.query<Row>({
        sql: `SELECT 'copy' AS row_kind, organization_id, source, id, event_type, subject, time AS event_time, time_given, received_at, payload_hash,
                toString(position) AS position_text, '' AS new_data, '' AS sealed
              FROM event_copies WHERE ${those} AND verdict = 'counted'
              UNION ALL
              SELECT toString(kind) AS row_kind, organization_id, source, id, '' AS event_type, '' AS subject, received_at AS event_time, false AS time_given, received_at,
                '' AS payload_hash, toString(position) AS position_text, data AS new_data, ifNull(toString(sealed_before), '') AS sealed
              FROM event_corrections FINAL WHERE ${those}`,
        parameters: placeholders.parameters,
      });
      for (const row of rows) {
        if (row.row_kind === 'copy') copies.push(toIndexedCopy(row));
        else corrections.push(toIndexedCorrection(row, row.row_kind));
      }
    }
    return { copies, corrections };
  }

  /** How many identities of each of these partitions were counted and are still kept, some perhaps twice. */
  async counts(partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const rows = await this.clickhouse.query<{ partition: number; n: string }>({
      sql: `SELECT partition, toString(count()) AS n FROM event_copies WHERE partition IN (${partitions.join(', ')}) AND verdict = 'counted' GROUP BY partition`,
    });
    return new Map(rows.map(({ partition, n }) => [partition, Number(n)]));
  }

  /**
   * The hashes of all identities of these partitions that were counted and are still kept, or corrected; some perhaps twice. `rows` says
   * about how many they are: no answer has many more than `hashesPerAnswerMax` of them.
   */
  async *hashes(partitions: readonly number[], rows: number): AsyncGenerator<PlacedHash[]> {
    const answers = Math.max(1, Math.ceil(rows / hashesPerAnswerMax));
    for (let nth = 0; nth < answers; nth += 1) {
      const [from, to] = [nth, nth + 1].map((bound) => (hashesEnd * BigInt(bound)) / BigInt(answers)) as [bigint, bigint];
      const those = `partition IN (${partitions.join(', ')}) AND identity BETWEEN ${from} AND ${to - 1n}`;
      const sql = `SELECT partition, identity FROM event_copies WHERE ${those} AND verdict = 'counted' UNION ALL SELECT partition, identity FROM event_corrections WHERE ${those}`;
      yield* placedHashes(this.clickhouse.binaryRows({ sql }));
    }
  }
}

/** Rows of a UInt16 and a UInt64, however the bytes are cut. */
async function* placedHashes(chunks: AsyncIterable<Buffer>): AsyncGenerator<PlacedHash[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const rows: PlacedHash[] = [];
    let at = 0;
    for (; at + placedHashBytes <= bytes.length; at += placedHashBytes) rows.push({ partition: bytes.readUInt16LE(at), low: bytes.readUInt32LE(at + 2), high: bytes.readUInt32LE(at + 6) });
    rest = bytes.subarray(at);
    yield rows;
  }
  assert(rest.length === 0, 'An answer ends with a whole row.');
}

function toIndexedCopy(row: Row): IndexedCopy {
  return {
    organizationId: row.organization_id,
    source: row.source,
    id: row.id,
    type: row.event_type,
    subject: row.subject,
    time: rfc3339Of(row.event_time),
    timeGiven: row.time_given,
    receivedAt: rfc3339Of(row.received_at),
    payloadHash: row.payload_hash,
    position: BigInt(row.position_text),
  };
}

function toIndexedCorrection(row: Row, kind: Correction['kind']): IndexedCorrection {
  return {
    kind,
    organizationId: row.organization_id,
    source: row.source,
    id: row.id,
    receivedAt: rfc3339Of(row.received_at),
    position: BigInt(row.position_text),
    data: kind === 'void' ? null : row.new_data,
    sealedBefore: row.sealed === '' ? null : rfc3339Of(row.sealed),
  };
}
