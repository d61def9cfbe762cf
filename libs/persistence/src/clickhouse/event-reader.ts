import { subjectBucket, type Verdict } from '#domain';
import type { Attachment } from '../postgres/billing-api/customer-tables.js';
import { rowsLiteral, type ClickHouse } from './clickhouse.js';
import { CorrectionStore, type ListedCorrection } from './correction-store.js';
import { CountedEvents, type EventKey } from './counted-events.js';
import { compareCursors, cursorOf, type EventCursor } from './event-cursor.js';
import { microsOf, Placeholders, rfc3339Of } from './sql-builder.js';
import { searched, type EventSearch } from './event-search.js';
import { fromStoredData } from './stored-data.js';
import { spanOf } from './subject-spans.js';

export interface EventQuery {
  readonly organizationId: string;
  readonly type: string | null;
  readonly subject: string | null;
  readonly source: string | null;
  readonly id: string | null;
  /** Only events of these attachments; null for all. */
  readonly attachments: readonly Attachment[] | null;
  /** Event time, from inclusive, to exclusive. */
  readonly from: Temporal.Instant | null;
  readonly to: Temporal.Instant | null;
  /** Null for every verdict. */
  readonly verdict: ListedEvent['verdict'] | null;
  /** Reads the data of counted and voided events, so it needs `from` and `to`; null for none. */
  readonly search: EventSearch | null;
  /** Only what stands behind, or before, this place of the list. */
  readonly after: EventCursor | null;
  readonly before: EventCursor | null;
  readonly limit: number;
}

/** One copy of an event as the list shows it. */
export interface ListedEvent {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** RFC 3339, six digits. */
  readonly time: string;
  readonly timeGiven: boolean;
  readonly receivedAt: string;
  readonly payloadHash: string;
  /** Canonical JSON text. */
  readonly data: string;
  /** The data that it came with, where an amendment gave it another one; else null. */
  readonly originalData: string | null;
  readonly verdict: Verdict | 'voided';
  /** What was asked for its identity, in the order of the log; empty where nothing became of it. */
  readonly corrections: readonly ListedCorrection[];
  readonly cursor: EventCursor;
}

/** A row of a list's statement. */
export interface ListedRow {
  readonly source: string;
  readonly id: string;
  readonly event_type: string;
  readonly subject: string;
  readonly time: string;
  readonly time_given: boolean;
  readonly received_at: string;
  readonly payload_hash: string;
  readonly data: string;
  readonly original_data: string;
  readonly verdict: ListedEvent['verdict'];
  readonly time_micros: string;
  readonly appended_micros: string;
  readonly partition: number;
  readonly position_text: string;
}

const firstSearchMicros = 6n * 3_600_000_000n;
const earliest = 0n;
const latest = 4_102_444_800_000_000n; // 2100-01-01, later than any event.
const columns = 'source, id, event_type, subject, time, time_given, received_at, payload_hash, data, original_data, appended_at, partition, position';
/** The same of event_copies, which keep what came. */
export const copyColumns = columns.replace('original_data', `'' AS original_data`);

/** Lists copies of events: the counted ones for as long as events are kept, duplicates and conflicts for their window. */
export class EventReader {
  private readonly countedEvents: CountedEvents;
  private readonly corrections: CorrectionStore;

  /** `searchRowsMax`: rows that a search may read. A search that needs more throws a Fault, `too_many_rows`. */
  constructor(private readonly clickhouse: ClickHouse, private readonly options: { readonly searchRowsMax: number } = { searchRowsMax: 20_000_000 }) {
    this.countedEvents = new CountedEvents(clickhouse);
    this.corrections = new CorrectionStore(clickhouse);
  }

  /** Newest event time first, at most `limit`; with `before`, those nearest to it, still newest first. */
  async list(query: EventQuery): Promise<ListedEvent[]> {
    if (query.attachments?.length === 0) return [];
    const hasCounted = query.verdict === null || query.verdict === 'counted' || query.verdict === 'voided';
    const hasOthers = query.search === null && (query.verdict === null || !hasCounted);
    const counted = hasCounted ? await this.counted(query) : [];
    const others = hasOthers ? await this.rows(query, { table: 'copies', from: earliest, to: latest }) : [];
    const sign = query.before === null ? -1 : 1;
    const rows = [...counted, ...others].map(toListed).sort((a, b) => sign * compareCursors(a.cursor, b.cursor)).slice(0, query.limit);
    const listed = await this.withCorrections(query.organizationId, await this.withData(query.organizationId, rows));
    return query.before === null ? listed : listed.reverse();
  }

  /** The data that these counted events came with, amended or voided ones too, by `payloadKey`. */
  async findCounted(organizationId: string, keys: readonly EventKey[]): Promise<Map<string, string>> {
    const events = await this.countedEvents.byKey(organizationId, keys);
    return new Map(events.map((event) => [payloadKey(event), fromStoredData(event.originalData)]));
  }

  /** Looks back over more and more months, so that the first page never sorts all of them. */
  private async counted(query: EventQuery): Promise<ListedRow[]> {
    if (query.before !== null) return this.rows(query, { table: 'events', from: earliest, to: latest });
    if (query.search !== null) return this.searchedBack(query);
    const months = await this.clickhouse.query<{ month: string }>({
      sql: `SELECT DISTINCT partition AS month FROM system.parts WHERE database = currentDatabase() AND table = 'events' AND active ORDER BY month DESC`,
    });
    const rows: ListedRow[] = [];
    let to = latest;
    for (let at = 0, step = 1; at < months.length && rows.length < query.limit; at += step, step *= 2) {
      const oldest = months[Math.min(at + step, months.length) - 1]?.month ?? '';
      const from = microsOf(Temporal.Instant.from(`${oldest.slice(0, 4)}-${oldest.slice(4, 6)}-01T00:00:00Z`));
      rows.push(...(await this.rows(query, { table: 'events', from, to })));
      to = from;
    }
    return rows;
  }

  /** The same by hours: what is searched for is mostly near the end, and its data is read only as far back as it takes. */
  private async searchedBack(query: EventQuery): Promise<ListedRow[]> {
    const begin = query.from === null ? earliest : microsOf(query.from);
    const rows: ListedRow[] = [];
    let to = smaller(query.to === null ? latest : microsOf(query.to), query.after === null ? latest : query.after.timeMicros + 1n);
    for (let width = firstSearchMicros; to > begin && rows.length < query.limit; width *= 4n) {
      const from = larger(begin, to - width);
      rows.push(...(await this.rows(query, { table: 'events', from, to })));
      to = from;
    }
    return rows;
  }

  private async rows(query: EventQuery, scope: ListScope): Promise<ListedRow[]> {
    const spans = spansOf(query, scope);
    if (spans?.length === 0) return [];
    const placeholders = new Placeholders();
    const order = query.before === null ? 'DESC' : 'ASC';
    const all = sourceOf(query, scope, placeholders);
    const source = query.search === null ? all : searched(all, { search: query.search, columns: `${columns}, verdict`, placeholders });
    const join = spans === null ? '' : `INNER JOIN (SELECT * FROM ${rowsLiteral('span_subject String, span_from Int64, span_to Int64', spans)}) AS spans ON copies.subject = spans.span_subject WHERE toUnixTimestamp64Micro(time) >= span_from AND toUnixTimestamp64Micro(time) < span_to`;
    return this.clickhouse.query<ListedRow>({
      sql: `${listedRows(`
              SELECT ${columns}, verdict FROM (${source}) AS copies ${join}
              ORDER BY time ${order}, appended_at ${order}, position ${order}, partition ${order} LIMIT ${query.limit}`)}${query.search === null ? '' : ` SETTINGS max_rows_to_read=${this.options.searchRowsMax}`}`,
      parameters: placeholders.parameters,
    });
  }

  /** Copies are stored without data where it equals that of the counted event. */
  async withData(organizationId: string, rows: readonly ListedEvent[]): Promise<ListedEvent[]> {
    const data = await this.findCounted(organizationId, rows.filter((row) => row.data === ''));
    return rows.map((row) => (row.data === '' ? { ...row, data: data.get(payloadKey(row)) ?? '{}' } : row));
  }

  private async withCorrections(organizationId: string, rows: readonly ListedEvent[]): Promise<ListedEvent[]> {
    const isCorrected = (row: ListedEvent): boolean => row.verdict === 'voided' || row.originalData !== null;
    const found = Map.groupBy(await this.corrections.find(organizationId, rows.filter(isCorrected)), identityKey);
    return rows.map((row) => (isCorrected(row) ? { ...row, corrections: found.get(identityKey(row)) ?? [] } : row));
  }
}

/** Rows of `copyColumns` and a verdict as `toListed` takes them. */
export function listedRows(rows: string): string {
  return `SELECT * EXCEPT (appended_at, position), toString(toUnixTimestamp64Micro(time)) AS time_micros, toString(toUnixTimestamp64Micro(appended_at)) AS appended_micros,
      toString(position) AS position_text
    FROM (${rows})`;
}

/** FINAL leaves voided rows out, so they are read beside it, each once; only those of the verdict that is asked for. */
function sourceOf(query: EventQuery, scope: ListScope, placeholders: Placeholders): string {
  const where = conditions(query, scope, placeholders).join(' AND ');
  if (scope.table === 'copies') return `SELECT ${copyColumns}, toString(verdict) AS verdict FROM event_copies FINAL WHERE ${where}`;
  const counted = `SELECT ${columns}, 'counted' AS verdict FROM events FINAL WHERE ${where}`;
  const voided = `
    SELECT ${columns}, 'voided' AS verdict FROM events WHERE ${where} AND is_deleted = 1
    ORDER BY version DESC LIMIT 1 BY event_type, bucket, subject, time, source, id, payload_hash`;
  if (query.verdict === null) return `${counted} UNION ALL ${voided}`;
  return query.verdict === 'counted' ? counted : voided;
}

interface ListScope {
  readonly table: 'events' | 'copies';
  readonly from: bigint;
  readonly to: bigint;
}

/** One event of an identity: an identity that is used again after its window has several. */
export function payloadKey(event: { readonly source: string; readonly id: string; readonly payloadHash: string }): string {
  return JSON.stringify([event.source, event.id, event.payloadHash]);
}

function identityKey(event: { readonly source: string; readonly id: string }): string {
  return JSON.stringify([event.source, event.id]);
}

function conditions(query: EventQuery, scope: ListScope, placeholders: Placeholders): string[] {
  const from = query.from === null ? scope.from : larger(scope.from, microsOf(query.from));
  const to = query.to === null ? scope.to : smaller(scope.to, microsOf(query.to));
  const time = (micros: bigint): string => `fromUnixTimestamp64Micro(toInt64(${micros}), 'UTC')`;
  const found = [`organization_id = ${placeholders.text(query.organizationId)}`, `time >= ${time(from)}`, `time < ${time(to)}`];
  if (scope.table === 'copies') found.push(query.verdict === null ? `event_copies.verdict != 'counted'` : `event_copies.verdict = ${placeholders.text(query.verdict)}`);
  if (query.type !== null) found.push(`event_type = ${placeholders.text(query.type)}`);
  if (query.subject !== null) found.push(`subject = ${placeholders.text(query.subject)}`);
  if (query.subject !== null && scope.table === 'events') found.push(`bucket = ${subjectBucket(query.subject)}`);
  if (query.source !== null) found.push(`source = ${placeholders.text(query.source)}`);
  if (query.attachments !== null) found.push(`subject IN ${placeholders.texts([...new Set(query.attachments.map(({ subject }) => subject))])}`);
  if (query.id !== null) found.push(`id = ${placeholders.text(query.id)}`);
  const cursor = query.after ?? query.before;
  if (cursor !== null) {
    const place = `(${time(cursor.timeMicros)}, ${time(cursor.appendedMicros)}, ${cursor.position}, ${cursor.partition})`;
    found.push(`(time, appended_at, position, partition) ${query.after === null ? '>' : '<'} ${place}`);
  }
  return found;
}

/** The stretches in which subjects belong to the customer, as rows of JSON; null where it does not matter. */
function spansOf(query: EventQuery, scope: ListScope): string[] | null {
  if (query.attachments === null) return null;
  const spans = query.attachments.flatMap((attachment) => spanOf(attachment, { from: scope.from, to: scope.to, ref: 0, ends: [] }) ?? []);
  return spans.map(({ subject, from, to }) => JSON.stringify([subject, `${from}`, `${to}`]));
}

export function toListed(row: ListedRow): ListedEvent {
  return {
    source: row.source,
    id: row.id,
    type: row.event_type,
    subject: row.subject,
    time: rfc3339Of(row.time),
    timeGiven: row.time_given,
    receivedAt: rfc3339Of(row.received_at),
    payloadHash: row.payload_hash,
    data: fromStoredData(row.data),
    originalData: row.original_data === '' ? null : fromStoredData(row.original_data),
    corrections: [],
    verdict: row.verdict,
    cursor: cursorOf({ timeMicros: row.time_micros, appendedMicros: row.appended_micros, partition: row.partition, position: row.position_text }),
  };
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
