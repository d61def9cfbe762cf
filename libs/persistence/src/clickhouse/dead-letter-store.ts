import type { DeadLetterRecord, RefusedEventFault } from '#contracts';
import type { ClickHouse } from './clickhouse.js';
import { Placeholders, rfc3339Of, timeText } from './sql-builder.js';

export type DeadLetter = Omit<DeadLetterRecord, 'v'>;

export interface DeadLetterQuery {
  readonly organizationId: string;
  readonly kind: string | null;
  readonly code: string | null;
  /** Ids of dead letters that the list continues behind, or before. */
  readonly startingAfter: string | null;
  readonly endingBefore: string | null;
  readonly limit: number;
}

interface Row {
  readonly organization_id: string;
  readonly received_at: string;
  readonly id: string;
  readonly kind: DeadLetter['kind'];
  readonly code: string;
  readonly detail: string;
  readonly errors: string;
  readonly payload: string;
  readonly counted_payload: string | null;
  readonly event_source: string | null;
  readonly event_id: string | null;
}

const columns = ['organization_id', 'received_at', 'id', 'kind', 'code', 'detail', 'errors', 'payload', 'counted_payload', 'event_source', 'event_id'];

/** What was refused, contradicted or could not be read. Writing the same letter again changes nothing. */
export class DeadLetterStore {
  constructor(private readonly clickhouse: ClickHouse) {}

  async insert(letters: readonly DeadLetter[]): Promise<void> {
    const rows = letters.map((letter) => JSON.stringify([
      letter.organization, timeText(letter.received_at), letter.id, letter.kind, letter.code, letter.detail, JSON.stringify(letter.errors),
      letter.payload.toWellFormed(), letter.counted_payload?.toWellFormed() ?? null, letter.event_source?.toWellFormed() ?? null, letter.event_id?.toWellFormed() ?? null,
    ]));
    await this.clickhouse.insert('dead_letters', columns, rows);
  }

  /** Newest receipt first, at most `limit`. */
  async list(query: DeadLetterQuery): Promise<DeadLetter[]> {
    const placeholders = new Placeholders();
    const organization = placeholders.text(query.organizationId);
    const conditions = [`organization_id = ${organization}`];
    if (query.kind !== null) conditions.push(`kind = ${placeholders.text(query.kind)}`);
    if (query.code !== null) conditions.push(`code = ${placeholders.text(query.code)}`);
    const isBackwards = query.endingBefore !== null;
    const cursor = query.startingAfter ?? query.endingBefore;
    if (cursor !== null) {
      const id = placeholders.text(cursor);
      conditions.push(`(received_at, id) ${isBackwards ? '>' : '<'} (SELECT any(received_at), any(id) FROM dead_letters WHERE organization_id = ${organization} AND id = ${id} HAVING count() > 0)`);
    }
    const order = isBackwards ? 'ASC' : 'DESC';
    const rows = await this.clickhouse.query<Row>({
      sql: `SELECT ${columns.join(', ')} FROM dead_letters FINAL WHERE ${conditions.join(' AND ')} ORDER BY received_at ${order}, id ${order} LIMIT ${query.limit}`,
      parameters: placeholders.parameters,
    });
    const letters = rows.map(toLetter);
    return isBackwards ? letters.reverse() : letters;
  }

  /** Null where the organization has no such letter. */
  async find({ organizationId, deadLetterId }: { readonly organizationId: string; readonly deadLetterId: string }): Promise<DeadLetter | null> {
    const placeholders = new Placeholders();
    const [row] = await this.clickhouse.query<Row>({
      sql: `SELECT ${columns.join(', ')} FROM dead_letters WHERE organization_id = ${placeholders.text(organizationId)} AND id = ${placeholders.text(deadLetterId)} LIMIT 1`,
      parameters: placeholders.parameters,
    });
    return row === undefined ? null : toLetter(row);
  }
}

function toLetter(row: Row): DeadLetter {
  const { organization_id, received_at, errors, ...rest } = row;
  return { ...rest, organization: organization_id, received_at: rfc3339Of(received_at), errors: JSON.parse(errors) as RefusedEventFault[] };
}
