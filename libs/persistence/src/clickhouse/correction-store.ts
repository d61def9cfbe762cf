import type { Correction } from '#domain';
import { rowsLiteral, type ClickHouse } from './clickhouse.js';
import type { EventIdentity } from './counted-events.js';
import { identityHashOf } from './identity-hash.js';
import { Placeholders, rfc3339Of, timeText, timeTextOf } from './sql-builder.js';
import { fromStoredData } from './stored-data.js';

/** A correction as it came out of the log, ready to be stored. */
export interface StoredCorrection extends Correction {
  readonly organizationId: string;
  readonly identityHash: bigint;
  readonly source: string;
  readonly id: string;
  readonly partition: number;
  /** Stored form; null for a void. */
  readonly data: string | null;
  readonly reason: string | null;
  /** The credential that asked for it. */
  readonly madeBy: string;
  readonly appendedAt: Temporal.Instant;
}

/** A correction as it is shown. */
export interface ListedCorrection extends EventIdentity {
  readonly kind: Correction['kind'];
  /** Canonical JSON text; null for a void. */
  readonly data: string | null;
  readonly reason: string | null;
  readonly madeBy: string;
  readonly receivedAt: string;
}

interface Row {
  readonly kind: Correction['kind'];
  readonly source: string;
  readonly id: string;
  readonly data: string;
  readonly reason: string | null;
  readonly made_by: string;
  readonly received_at: string;
}

const columns = [
  'organization_id', 'identity', 'partition', 'position', 'kind', 'source', 'id', 'data', 'reason', 'made_by', 'received_at', 'appended_at', 'sealed_before',
];

/** Who corrected what, when and why. */
export class CorrectionStore {
  constructor(private readonly clickhouse: ClickHouse) {}

  /** Writing the same again changes nothing. */
  async insert(corrections: readonly StoredCorrection[]): Promise<void> {
    await this.clickhouse.insert('event_corrections', columns, corrections.map(toRow));
  }

  /** What was asked for these identities, in the order of the log. */
  async find(organizationId: string, identities: readonly EventIdentity[]): Promise<ListedCorrection[]> {
    if (identities.length === 0) return [];
    const placeholders = new Placeholders();
    const wanted = new Set(identities.map(({ source, id }) => JSON.stringify([String(identityHashOf({ organization: organizationId, source, id })), source, id])));
    const rows = await this.clickhouse.query<Row>({
      sql: `SELECT toString(kind) AS kind, source, id, data, reason, made_by, received_at FROM event_corrections FINAL
            WHERE organization_id = ${placeholders.text(organizationId)}
              AND (identity, source, id) IN (SELECT * FROM ${rowsLiteral('identity UInt64, source String, id String', [...wanted])})
            ORDER BY source, id, position`,
      parameters: placeholders.parameters,
    });
    return rows.map(toListed);
  }
}

function toRow(correction: StoredCorrection): string {
  const sealedBefore = correction.sealedBefore === null ? null : timeText(correction.sealedBefore);
  return JSON.stringify([
    correction.organizationId, String(correction.identityHash), correction.partition, String(correction.position), correction.kind, correction.source, correction.id,
    correction.data ?? '', correction.reason, correction.madeBy, timeText(correction.receivedAt), timeTextOf(correction.appendedAt), sealedBefore,
  ]);
}

function toListed(row: Row): ListedCorrection {
  return {
    kind: row.kind,
    source: row.source,
    id: row.id,
    data: row.kind === 'void' ? null : fromStoredData(row.data),
    reason: row.reason,
    madeBy: row.made_by,
    receivedAt: rfc3339Of(row.received_at),
  };
}
