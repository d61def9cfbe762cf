import type { DeadLetterRecord, DeadLetterStateRecord, RefusedEventFault } from '#contracts';
import type { ChangedMember } from '#domain';
import type { ClickHouse } from './clickhouse.js';
import { microsOf, Placeholders, rfc3339Of, timeText } from './sql-builder.js';

export type DeadLetter = Omit<DeadLetterRecord, 'v'>;

/** What became of a letter. */
export interface DeadLetterState {
  readonly state: 'open' | 'replayed' | 'discarded';
  /** RFC 3339, six digits; null while it is open. */
  readonly changedAt: string | null;
  readonly changedBy: string | null;
  readonly reason: string | null;
  readonly replayedAs: { readonly source: string; readonly id: string } | null;
  readonly changes: readonly ChangedMember[];
}

export interface KeptDeadLetter {
  readonly letter: DeadLetter;
  readonly became: DeadLetterState;
}

/** A change of state with its place in the log. */
export interface DeadLetterChange {
  readonly record: DeadLetterStateRecord;
  readonly position: bigint;
}

export interface DeadLetterFilter {
  readonly organizationId: string;
  readonly kinds: readonly string[] | null;
  readonly code: string | null;
  readonly source: string | null;
  readonly state: DeadLetterState['state'] | null;
  /** A part of the event's id. */
  readonly eventId: string | null;
  /** Receipt, from inclusive, to exclusive. */
  readonly from: Temporal.Instant | null;
  readonly to: Temporal.Instant | null;
}

export interface DeadLetterQuery extends DeadLetterFilter {
  /** Ids of dead letters that the list continues behind, or before. */
  readonly startingAfter: string | null;
  readonly endingBefore: string | null;
  readonly isOldestFirst: boolean;
  readonly limit: number;
}

export interface DeadLetterCount {
  readonly kind: DeadLetter['kind'];
  readonly code: string;
  readonly open: number;
  readonly replayed: number;
  readonly discarded: number;
  /** RFC 3339, six digits; null where none is open. */
  readonly oldestOpenAt: string | null;
  readonly newestOpenAt: string | null;
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

interface StateRow {
  readonly id: string;
  readonly state: 'replayed' | 'discarded';
  readonly changed_at: string;
  readonly changed_by: string;
  readonly reason: string | null;
  readonly event_source: string | null;
  readonly event_id: string | null;
  readonly changes: string;
}

const columns = ['organization_id', 'received_at', 'id', 'kind', 'code', 'detail', 'errors', 'payload', 'counted_payload', 'event_source', 'event_id'];
const stateColumns = ['organization_id', 'received_at', 'id', 'state', 'changed_at', 'changed_by', 'reason', 'event_source', 'event_id', 'changes', 'version'];
const open: DeadLetterState = { state: 'open', changedAt: null, changedBy: null, reason: null, replayedAs: null, changes: [] };
const idForm = /^dl_[0-9a-z]{1,40}$/;
/** What was replayed stays so, whatever is said of it later: its event is counted. */
const replayedVersion = 1n << 62n;

/** What was refused, contradicted or could not be read, and what became of it. Writing the same again changes nothing. */
export class DeadLetterStore {
  constructor(private readonly clickhouse: ClickHouse) {}

  async insert(letters: readonly DeadLetter[]): Promise<void> {
    const rows = letters.map((letter) => JSON.stringify([
      letter.organization, timeText(letter.received_at), letter.id, letter.kind, letter.code, letter.detail, JSON.stringify(letter.errors),
      letter.payload.toWellFormed(), letter.counted_payload?.toWellFormed() ?? null, letter.event_source?.toWellFormed() ?? null, letter.event_id?.toWellFormed() ?? null,
    ]));
    await this.clickhouse.insert('dead_letters', columns, rows);
  }

  async insertChanges(changes: readonly DeadLetterChange[]): Promise<void> {
    const rows = changes.map(({ record, position }) => JSON.stringify([
      record.organization, timeText(record.received_at), record.id, record.state, timeText(record.changed_at), record.changed_by, record.reason, record.event_source, record.event_id,
      JSON.stringify(record.changes), String(record.state === 'replayed' ? replayedVersion + position : position),
    ]));
    await this.clickhouse.insert('dead_letter_states', stateColumns, rows);
  }

  /** Newest receipt first unless it is asked for the other way round, at most `limit`. */
  async list(query: DeadLetterQuery): Promise<KeptDeadLetter[]> {
    const placeholders = new Placeholders();
    const organization = placeholders.text(query.organizationId);
    const found = conditions(query, placeholders);
    const isBackwards = query.endingBefore !== null;
    const isAscending = isBackwards !== query.isOldestFirst;
    const cursor = query.startingAfter ?? query.endingBefore;
    if (cursor !== null) {
      const id = placeholders.text(cursor);
      found.push(`(received_at, id) ${isAscending ? '>' : '<'} (SELECT any(received_at), any(id) FROM dead_letters WHERE organization_id = ${organization} AND id = ${id} HAVING count() > 0)`);
    }
    const order = isAscending ? 'ASC' : 'DESC';
    const rows = await this.clickhouse.query<Row>({
      sql: `SELECT ${columns.join(', ')} FROM dead_letters FINAL WHERE ${found.join(' AND ')} ORDER BY received_at ${order}, id ${order} LIMIT ${query.limit}`,
      parameters: placeholders.parameters,
    });
    const letters = await this.withStates(query.organizationId, rows);
    return isBackwards ? letters.reverse() : letters;
  }

  /** Null where the organization has no such letter. */
  async find({ organizationId, deadLetterId }: { readonly organizationId: string; readonly deadLetterId: string }): Promise<KeptDeadLetter | null> {
    if (!idForm.test(deadLetterId)) return null;
    const placeholders = new Placeholders();
    const rows = await this.clickhouse.query<Row>({
      sql: `SELECT ${columns.join(', ')} FROM dead_letters WHERE organization_id = ${placeholders.text(organizationId)} AND id = ${placeholders.text(deadLetterId)} LIMIT 1`,
      parameters: placeholders.parameters,
    });
    const [letter] = await this.withStates(organizationId, rows);
    return letter ?? null;
  }

  /** How many letters of each kind and code are in which state; those with the most open ones first. */
  async count(filter: DeadLetterFilter): Promise<DeadLetterCount[]> {
    const placeholders = new Placeholders();
    const rows = await this.clickhouse.query<{ kind: DeadLetter['kind']; code: string; open: string; replayed: string; discarded: string; oldest: string; newest: string }>({
      sql: `
        SELECT kind, code, toString(countIf(became = '')) AS open, toString(countIf(became = 'replayed')) AS replayed, toString(countIf(became = 'discarded')) AS discarded,
          toString(minIf(received_at, became = '')) AS oldest, toString(maxIf(received_at, became = '')) AS newest
        FROM (SELECT received_at, id, kind, code FROM dead_letters FINAL WHERE ${conditions(filter, placeholders).join(' AND ')}) AS letters
        LEFT JOIN (SELECT received_at, id, toString(state) AS became FROM dead_letter_states FINAL WHERE organization_id = ${placeholders.text(filter.organizationId)}) AS states
          USING (received_at, id)
        GROUP BY kind, code ORDER BY countIf(became = '') DESC, kind, code SETTINGS join_use_nulls=0`,
      parameters: placeholders.parameters,
    });
    return rows.map((row) => {
      const [openLetters, replayed, discarded] = [Number(row.open), Number(row.replayed), Number(row.discarded)];
      const hasOpen = openLetters > 0;
      return {
        kind: row.kind, code: row.code, open: openLetters, replayed, discarded,
        oldestOpenAt: hasOpen ? rfc3339Of(row.oldest) : null, newestOpenAt: hasOpen ? rfc3339Of(row.newest) : null,
      };
    });
  }

  private async withStates(organizationId: string, rows: readonly Row[]): Promise<KeptDeadLetter[]> {
    if (rows.length === 0) return [];
    const placeholders = new Placeholders();
    const receipts = rows.map((row) => row.received_at).sort();
    const states = await this.clickhouse.query<StateRow>({
      sql: `SELECT id, toString(state) AS state, changed_at, changed_by, reason, event_source, event_id, changes FROM dead_letter_states FINAL
            WHERE organization_id = ${placeholders.text(organizationId)} AND received_at >= ${placeholders.text(receipts[0] ?? '')} AND received_at <= ${placeholders.text(receipts.at(-1) ?? '')}
              AND id IN ${placeholders.texts(rows.map(({ id }) => id))}`,
      parameters: placeholders.parameters,
    });
    const byId = new Map(states.map((row) => [row.id, toState(row)]));
    return rows.map((row) => ({ letter: toLetter(row), became: byId.get(row.id) ?? open }));
  }
}

function conditions(filter: DeadLetterFilter, placeholders: Placeholders): string[] {
  const organization = placeholders.text(filter.organizationId);
  const found = [`organization_id = ${organization}`];
  if (filter.kinds !== null) found.push(`kind IN ${placeholders.texts(filter.kinds)}`);
  if (filter.code !== null) found.push(`code = ${placeholders.text(filter.code)}`);
  if (filter.source !== null) found.push(`event_source = ${placeholders.text(filter.source)}`);
  if (filter.eventId !== null) found.push(`position(ifNull(event_id, ''), ${placeholders.text(filter.eventId)}) > 0`);
  if (filter.from !== null) found.push(`received_at >= fromUnixTimestamp64Micro(toInt64(${microsOf(filter.from)}), 'UTC')`);
  if (filter.to !== null) found.push(`received_at < fromUnixTimestamp64Micro(toInt64(${microsOf(filter.to)}), 'UTC')`);
  if (filter.state !== null) {
    const isOfState = filter.state === 'open' ? '' : ` AND state = '${filter.state}'`;
    found.push(`(received_at, id) ${filter.state === 'open' ? 'NOT IN' : 'IN'} (SELECT received_at, id FROM dead_letter_states FINAL WHERE organization_id = ${organization}${isOfState})`);
  }
  return found;
}

function toLetter(row: Row): DeadLetter {
  const { organization_id, received_at, errors, ...rest } = row;
  return { ...rest, organization: organization_id, received_at: rfc3339Of(received_at), errors: JSON.parse(errors) as RefusedEventFault[] };
}

function toState(row: StateRow): DeadLetterState {
  return {
    state: row.state,
    changedAt: rfc3339Of(row.changed_at),
    changedBy: row.changed_by,
    reason: row.reason,
    replayedAs: row.event_source === null || row.event_id === null ? null : { source: row.event_source, id: row.event_id },
    changes: JSON.parse(row.changes) as ChangedMember[],
  };
}
