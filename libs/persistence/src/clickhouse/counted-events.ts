import { subjectBucket } from '#domain';
import { rowsLiteral, type ClickHouse } from './clickhouse.js';
import type { CountedEvent } from './stored-copy.js';
import { Placeholders, rfc3339Of } from './sql-builder.js';

export interface EventIdentity {
  readonly source: string;
  readonly id: string;
}

/** An identity whose event's place in the table is known as well. */
export interface EventKey extends EventIdentity {
  readonly type: string;
  readonly subject: string;
}

interface Row {
  readonly event_type: string;
  readonly subject: string;
  readonly time: string;
  readonly source: string;
  readonly id: string;
  readonly payload_hash: string;
  readonly time_given: boolean;
  readonly received_at: string;
  readonly appended_at: string;
  readonly partition: number;
  readonly position_text: string;
  readonly data: string;
  readonly original: string;
}

/** Ids in one query, so that a statement stays of bounded length. */
const idsPerQueryMax = 5_000;

/** Finds counted events whatever became of them: also those that a void took out of every other answer. */
export class CountedEvents {
  constructor(private readonly clickhouse: ClickHouse) {}

  /** By their place in the table: reads these few rows only. */
  async byKey(organizationId: string, keys: readonly EventKey[]): Promise<CountedEvent[]> {
    const rows = new Set(keys.map(({ type, subject, source, id }) => JSON.stringify([type, subjectBucket(subject), subject, source, id])));
    return this.find(organizationId, [...rows], (part) => {
      const structure = 'event_type String, bucket UInt8, subject String, source String, id String';
      return `(event_type, bucket, subject, source, id) IN (SELECT * FROM ${rowsLiteral(structure, part)})`;
    });
  }

  /** By nothing but their identity: looks through the ids of the organization's events, so it is for the few that no key is known of. */
  async byIdentity(organizationId: string, identities: readonly EventIdentity[]): Promise<CountedEvent[]> {
    const rows = new Set(identities.map(({ source, id }) => JSON.stringify([source, id])));
    return this.find(organizationId, [...rows], (part) => {
      const ids = new Set(part.map((row) => JSON.stringify((JSON.parse(row) as [string, string]).slice(1))));
      // The ids by themselves too: they have an index. Not as a parameter: a thousand of them are too many for a URL.
      return `id IN (SELECT * FROM ${rowsLiteral('id String', [...ids])}) AND (source, id) IN (SELECT * FROM ${rowsLiteral('source String, id String', part)})`;
    });
  }

  private async find(organizationId: string, wanted: readonly string[], condition: (part: readonly string[]) => string): Promise<CountedEvent[]> {
    const found: CountedEvent[] = [];
    for (let at = 0; at < wanted.length; at += idsPerQueryMax) {
      const placeholders = new Placeholders();
      // Without FINAL, which leaves voided rows out: the row of the highest version is the one that FINAL takes.
      const rows = await this.clickhouse.query<Row>({
        sql: `SELECT event_type, subject, time, source, id, payload_hash, time_given, received_at, appended_at, partition, toString(position) AS position_text, data,
                if(original_data = '', data, original_data) AS original
              FROM events WHERE organization_id = ${placeholders.text(organizationId)} AND ${condition(wanted.slice(at, at + idsPerQueryMax))}
              ORDER BY version DESC LIMIT 1 BY event_type, bucket, subject, time, source, id, payload_hash`,
        parameters: placeholders.parameters,
      });
      found.push(...rows.map((row) => toCountedEvent(organizationId, row)));
    }
    return found;
  }
}

function toCountedEvent(organizationId: string, row: Row): CountedEvent {
  return {
    organizationId,
    source: row.source,
    id: row.id,
    type: row.event_type,
    subject: row.subject,
    time: rfc3339Of(row.time),
    timeGiven: row.time_given,
    receivedAt: rfc3339Of(row.received_at),
    appendedAt: Temporal.Instant.from(rfc3339Of(row.appended_at)),
    payloadHash: row.payload_hash,
    partition: row.partition,
    position: BigInt(row.position_text),
    data: row.data,
    originalData: row.original,
  };
}
