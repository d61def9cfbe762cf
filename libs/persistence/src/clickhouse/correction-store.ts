import type { Correction } from '#domain';
import { rowsLiteral, type ClickHouse } from './clickhouse.js';
import type { EventIdentity } from './counted-events.js';
import { compareCursors, cursorOf, type EventCursor } from './event-cursor.js';
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

/** One of the list of all corrections. */
export interface CorrectionInList extends ListedCorrection {
  /** By receipt. */
  readonly cursor: EventCursor;
}

export interface CorrectionQuery {
  readonly organizationId: string;
  readonly kind: Correction['kind'] | null;
  readonly source: string | null;
  readonly id: string | null;
  /** Only what stands behind, or before, this place of the list. */
  readonly after: EventCursor | null;
  readonly before: EventCursor | null;
  readonly limit: number;
}

interface PlacedRow extends Row {
  readonly received_micros: string;
  readonly appended_micros: string;
  readonly position_text: string;
  readonly partition: number;
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

  /** Newest receipt first, at most `limit`; with `before`, those nearest to it, still newest first. */
  async list(query: CorrectionQuery): Promise<CorrectionInList[]> {
    const placeholders = new Placeholders();
    const conditions = [`organization_id = ${placeholders.text(query.organizationId)}`];
    if (query.kind !== null) conditions.push(`event_corrections.kind = ${placeholders.text(query.kind)}`);
    if (query.source !== null) conditions.push(`source = ${placeholders.text(query.source)}`);
    if (query.id !== null) conditions.push(`id = ${placeholders.text(query.id)}`);
    const place = 'toUnixTimestamp64Micro(received_at), toUnixTimestamp64Micro(appended_at), position, partition';
    const cursor = query.after ?? query.before;
    if (cursor !== null) conditions.push(`(${place}) ${query.after === null ? '>' : '<'} (${cursor.timeMicros}, ${cursor.appendedMicros}, ${cursor.position}, ${cursor.partition})`);
    const order = query.after === null && query.before !== null ? 'ASC' : 'DESC';
    const rows = await this.clickhouse.query<PlacedRow>({
      sql: `SELECT toString(event_corrections.kind) AS kind, source, id, data, reason, made_by, received_at, toString(toUnixTimestamp64Micro(received_at)) AS received_micros,
              toString(toUnixTimestamp64Micro(appended_at)) AS appended_micros, toString(position) AS position_text, partition
            FROM event_corrections FINAL WHERE ${conditions.join(' AND ')}
            ORDER BY ${place.split(', ').map((part) => `${part} ${order}`).join(', ')} LIMIT ${query.limit}`,
      parameters: placeholders.parameters,
    });
    return rows.map(toPlaced).sort((a, b) => compareCursors(b.cursor, a.cursor));
  }
}

function toPlaced(row: PlacedRow): CorrectionInList {
  const cursor = cursorOf({ timeMicros: row.received_micros, appendedMicros: row.appended_micros, position: row.position_text, partition: row.partition });
  return { ...toListed(row), cursor };
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
