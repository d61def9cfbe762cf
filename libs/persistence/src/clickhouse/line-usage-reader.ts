import { createHash } from 'node:crypto';
import { canonicalDecimal, meterDimensions, type LineUsageProof, type Meter } from '#domain';
import { assert } from '#platform';
import type { Database } from '../postgres/database.js';
import type { ClickHouse } from './clickhouse.js';
import { CountedEvents, type EventIdentity } from './counted-events.js';
import { CutReader } from './cut-reader.js';
import { compareCursors, cursorOf, type EventCursor } from './event-cursor.js';
import type { CountedEvent } from './stored-copy.js';
import { isGauge, reachOf, sliceScope, type SliceScope, type SliceScopeQuery } from './slice-scope.js';
import { boundedMemory, Placeholders, rfc3339Of } from './sql-builder.js';
import { fromStoredData } from './stored-data.js';
import { answeredValue } from './usage-answer.js';
import type { UsageBasis } from './usage-basis.js';
import { countedPart, dimensionText, inScopeSpans, scanRelations } from './usage-scan.js';
import { answerSql, stateOf } from './usage-states.js';

/** Usage of lines: of each slice, told apart by the dimensions that the price names. */
export interface LineUsageQuery extends SliceScopeQuery {
  readonly groupBy: readonly string[];
}

/** The events of one line: how many there are, and the digest of all of them (docs/guides/receipts.md says of what). */
export interface LineUsage {
  readonly ref: string;
  readonly group: Readonly<Record<string, string>>;
  readonly events: bigint;
  /** SHA-256 in hexadecimal. */
  readonly digest: string;
}

/** The events of one line in one hour of UTC. */
export interface LineHour {
  /** RFC 3339. */
  readonly hour: string;
  readonly events: bigint;
  /** What the meter makes of them, shortest decimal; null of a gauge, whose value lasts from hour to hour. */
  readonly value: string | null;
  readonly digest: string;
}

/** One line: a slice and, where the price names dimensions, a group of it. */
export interface OneLineQuery extends SliceScopeQuery {
  /** Null takes all groups. */
  readonly group: Readonly<Record<string, string>> | null;
}

/** What became of an event since another basis. */
export type LineEventChange = 'added' | 'removed' | 'amended';

export interface LineEvent {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** RFC 3339, six digits. */
  readonly time: string;
  readonly receivedAt: string;
  readonly payloadHash: string;
  /** Canonical JSON text, as it counted. */
  readonly data: string;
  /** What the meter took from it: a decimal, or text for unique_count. */
  readonly value: string;
  readonly change: LineEventChange | null;
  /** By time, then the order in which the log took them. */
  readonly cursor: EventCursor;
}

/** One event as it counts for a line. */
export interface CountedAs {
  readonly group: Readonly<Record<string, string>>;
  /** What the meter takes from it. */
  readonly value: string;
  /** Canonical JSON text. */
  readonly data: string;
}

interface DigestRow {
  readonly ref: number;
  readonly groups: readonly string[];
  readonly events_text: string;
  readonly digest: string;
}

interface EventRow {
  readonly time_micros: string;
  readonly appended_micros: string;
  readonly place: string;
  readonly log_partition: number;
  readonly source: string;
  readonly id: string;
  readonly payload_hash: string;
  readonly event_type: string;
  readonly subject: string;
  readonly event_time: string;
  readonly received: string;
  readonly stored: string;
  readonly value_text: string;
  readonly change: string;
}

/** Of the events that a line had before and has now. */
export type LineChanges = Readonly<Record<LineEventChange, bigint>>;

const settings = `SETTINGS ${boundedMemory}, join_use_nulls=0`;
/** U+0000 stands in no identity, so texts that it ends are told apart and sorted as their parts are. */
const ended = (...texts: readonly string[]): string => `concat(${texts.map((text) => `${text}, char(0)`).join(', ')})`;
const sha256 = (texts: string): string => `lower(hex(SHA256(arrayStringConcat(${texts}))))`;
const hourDigest = sha256(`arraySort(groupArray(${ended('source', 'id', 'payload_hash')}))`);
const hourText = `formatDateTime(toDateTime(hour, 'UTC'), '%Y-%m-%dT%H:00:00Z', 'UTC')`;
/** Of a line without events: SHA-256 of nothing. */
export const emptyDigest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** What a line's hours, in their order, add up to. */
export function proofOfHours(hours: readonly LineHour[]): LineUsageProof {
  const hash = createHash('sha256');
  for (const { hour, digest } of hours) hash.update(`${hour}\0${digest}\0`);
  return { events: hours.reduce((sum, { events }) => sum + events, 0n), digest: hash.digest('hex') };
}

/** Reads the very events that lines of invoices are made of. Every answer is of one basis; memory is bounded by an hour of one line. */
export class LineUsageReader {
  constructor(private readonly use: { readonly clickhouse: ClickHouse; readonly database: Database }) {}

  /** Count and digest of each line of these slices, in one query. A line without events has no row. */
  async digests(query: LineUsageQuery): Promise<LineUsage[]> {
    const { meter, scope } = await sliceScope(this.use, query);
    if (scope === null) return [];
    const placeholders = new Placeholders();
    const groups = groupsSql(meter, query.groupBy);
    const hours = `SELECT ref, groups, hour, count() AS events, ${hourDigest} AS digest FROM (${linesSql(scope, { placeholders, columns: `${groups} AS groups, source, id, payload_hash` })}) GROUP BY ref, groups, hour`;
    const rows = await this.use.clickhouse.query<DigestRow>({
      sql: `${scanRelations(scope)}
        SELECT ref, groups, toString(sum(events)) AS events_text, ${sha256(`arrayMap(part -> ${ended('tupleElement(part, 1)', 'tupleElement(part, 2)')}, arraySort(groupArray((${hourText}, digest))))`)} AS digest
        FROM (${hours}) GROUP BY ref, groups ORDER BY ref, groups ${settings}`,
      parameters: placeholders.parameters,
    });
    return rows.map((row) => {
      const slice = query.slices[row.ref];
      assert(slice !== undefined, 'A row belongs to one of the slices.');
      return { ref: slice.ref, group: Object.fromEntries(query.groupBy.map((name, index) => [name, row.groups[index] ?? ''])), events: BigInt(row.events_text), digest: row.digest };
    });
  }

  /** The hours of one line in which it has events, in their order. */
  async hours(query: OneLineQuery): Promise<LineHour[]> {
    const { meter, scope } = await sliceScope(this.use, query);
    if (scope === null) return [];
    const placeholders = new Placeholders();
    const state = isGauge(meter) ? null : stateOf[meter.aggregation];
    const events = linesSql(scope, { placeholders, columns: 'source, id, payload_hash, value, time, appended_at, position, partition', where: inGroup(meter, query.group, placeholders) });
    const hours = `SELECT hour, count() AS events${state === null ? '' : `, ${state.fromRaw} AS state`}, ${hourDigest} AS digest FROM (${events}) GROUP BY hour`;
    const rows = await this.use.clickhouse.query<{ hour_text: string; events_text: string; value: string; digest: string }>({
      sql: `${scanRelations(scope)} SELECT ${hourText} AS hour_text, toString(events) AS events_text, ${isGauge(meter) ? `''` : answerSql(meter, { state: 'state', events: 'events' })} AS value, digest FROM (${hours}) ORDER BY hour ${settings}`,
      parameters: placeholders.parameters,
    });
    return rows.map((row) => ({ hour: row.hour_text, events: BigInt(row.events_text), value: isGauge(meter) ? null : answeredValue(row, meter), digest: row.digest }));
  }

  /** Events of one line in order of time, next to a place in it, at most `limit`. With `since`, those only that changed from that basis on. */
  async events(query: OneLineQuery, page: { readonly after: EventCursor | null; readonly before: EventCursor | null; readonly limit: number; readonly since: UsageBasis | null }): Promise<LineEvent[]> {
    const placeholders = new Placeholders();
    const rows = await this.rowsOf(query, { since: page.since, placeholders });
    if (rows === null) return [];
    const place = 'time_micros, appended_micros, place, log_partition';
    const isBackwards = page.after === null && page.before !== null;
    const cursor = page.after ?? page.before;
    const after = cursor === null ? '1' : `(${place}) ${isBackwards ? '<' : '>'} (${cursor.timeMicros}, ${cursor.appendedMicros}, ${cursor.position}, ${cursor.partition})`;
    const order = place.split(', ').map((column) => `${column} ${isBackwards ? 'DESC' : 'ASC'}`).join(', ');
    const found = await this.use.clickhouse.query<EventRow>({
      sql: `SELECT toString(time_micros) AS time_micros, toString(appended_micros) AS appended_micros, toString(place) AS place, * EXCEPT (time_micros, appended_micros, place)
            FROM (SELECT * FROM (${rows}) WHERE ${after} ORDER BY ${order} LIMIT ${page.limit}) AS page ${settings}`,
      parameters: placeholders.parameters,
    });
    return found.map(toLineEvent).sort((a, b) => compareCursors(a.cursor, b.cursor));
  }

  /** The event of an identity that the log took last, also one that was voided; null where there is none. */
  async eventOf(organizationId: string, identity: EventIdentity): Promise<CountedEvent | null> {
    const events = await new CountedEvents(this.use.clickhouse).byIdentity(organizationId, [identity]);
    return events.toSorted((a, b) => (a.position < b.position ? -1 : 1)).at(-1) ?? null;
  }

  /** How one event counts for the lines of a slice, which should be as narrow as its instant; null where it does not. */
  async countedAs(query: LineUsageQuery, event: EventIdentity & Pick<LineEvent, 'payloadHash'>): Promise<CountedAs | null> {
    const { meter, scope } = await sliceScope(this.use, query);
    if (scope === null) return null;
    const placeholders = new Placeholders();
    const where = `source = ${placeholders.text(event.source)} AND id = ${placeholders.text(event.id)} AND payload_hash = ${placeholders.text(event.payloadHash)}`;
    const [row] = await this.use.clickhouse.query<{ groups: readonly string[]; value_text: string; stored: string }>({
      sql: `${scanRelations(scope)} SELECT groups, value_text, stored
        FROM (${linesSql(scope, { placeholders, columns: `${groupsSql(meter, query.groupBy)} AS groups, toString(value) AS value_text, data AS stored`, where })}) LIMIT 1 ${settings}`,
      parameters: placeholders.parameters,
    });
    if (row === undefined) return null;
    return { group: Object.fromEntries(query.groupBy.map((name, index) => [name, row.groups[index] ?? ''])), value: canonicalDecimal(row.value_text) ?? row.value_text, data: fromStoredData(row.stored) };
  }

  /** How many events of one line changed since another basis. */
  async changes(query: OneLineQuery, since: UsageBasis): Promise<LineChanges> {
    const placeholders = new Placeholders();
    const changes = { added: 0n, removed: 0n, amended: 0n };
    const rows = await this.rowsOf(query, { since, placeholders });
    if (rows === null) return changes;
    const counts = await this.use.clickhouse.query<{ change: LineEventChange; events: string }>({
      sql: `SELECT change, toString(count()) AS events FROM (${rows}) GROUP BY change ${settings}`, parameters: placeholders.parameters,
    });
    for (const { change, events } of counts) changes[change] = BigInt(events);
    return changes;
  }

  /** The refs of slices in which something came to light after the basis' cut. */
  async changedAfter(query: SliceScopeQuery): Promise<string[]> {
    const cut = query.basis?.cut ?? null;
    assert(cut !== null && query.basis !== undefined, 'Only what was read at a cut can have changed after it.');
    const { scope } = await sliceScope(this.use, { ...query, basis: { ...query.basis, cut: null } });
    if (scope === null) return [];
    return (await new CutReader(this.use).changedAfter(reachOf(scope), cut)).map((place) => query.slices[place]?.ref ?? '');
  }

  /** The events of one line, or those that changed since a basis; null where it has no subject in either. */
  private async rowsOf(query: OneLineQuery, options: { since: UsageBasis | null; placeholders: Placeholders }): Promise<string | null> {
    const { since, placeholders } = options;
    const now = await this.side(query, placeholders);
    if (since === null) return now === null ? null : `SELECT *, '' AS change FROM (${now})`;
    const before = await this.side({ ...query, basis: since }, placeholders);
    const sides = [now === null ? [] : [`SELECT 1 AS side, * FROM (${now})`], before === null ? [] : [`SELECT 0 AS side, * FROM (${before})`]].flat();
    if (sides.length === 0) return null;
    const [key, rest] = [['source', 'id', 'payload_hash', 'event_type', 'subject', 'event_time'], ['time_micros', 'appended_micros', 'place', 'log_partition', 'received', 'stored', 'value_text']];
    const [isNow, wasBefore] = ['countIf(side = 1) > 0', 'countIf(side = 0) > 0'];
    const change = `multiIf(NOT ${isNow}, 'removed', NOT ${wasBefore}, 'added', anyIf(stored, side = 1) != anyIf(stored, side = 0), 'amended', '')`;
    return `SELECT ${key.join(', ')}, ${rest.map((column) => `argMax(given.${column}, side) AS ${column}`).join(', ')}, ${change.replaceAll('stored', 'given.stored')} AS change
      FROM (${sides.join(' UNION ALL ')}) AS given GROUP BY ${key.join(', ')} HAVING change != ''`;
  }

  private async side(query: OneLineQuery, placeholders: Placeholders): Promise<string | null> {
    const { meter, scope } = await sliceScope(this.use, query);
    if (scope === null) return null;
    const columns = `source, id, payload_hash, event_type, subject, toString(time) AS event_time, toString(received_at) AS received, data AS stored, toString(value) AS value_text,
      at AS time_micros, toUnixTimestamp64Micro(appended_at) AS appended_micros, position AS place, partition AS log_partition`;
    return `${scanRelations(scope)} SELECT * EXCEPT (ref, hour) FROM (${linesSql(scope, { placeholders, columns, where: inGroup(meter, query.group, placeholders) })})`;
  }
}

/** The events of slices, each with the place of its slice, its hour (seconds since 1970), and a text for each dimension that any version of the meter has. */
function linesSql(scope: SliceScope, read: { readonly placeholders: Placeholders; readonly columns: string; readonly where?: string }): string {
  const names = meterDimensions(scope.meter);
  const counted = scope.parts.map((part) => {
    const texts = names.map((name) => dimensionText(name, Object.keys(part.meter.groupBy)));
    const rows = countedPart(scope, { part, placeholders: read.placeholders, more: ['payload_hash', 'event_type', 'received_at', 'data'] });
    return `SELECT * REPLACE ([${texts.join(', ')}]::Array(String) AS group_values) FROM (${rows})`;
  });
  return `
    SELECT span_ref AS ref, toUInt32(intDiv(at, 3600000000) * 3600) AS hour, ${read.columns}
    FROM (${counted.join(' UNION ALL ')}) AS counted INNER JOIN spans ON counted.subject = spans.span_subject
    WHERE ${inScopeSpans} AND ${read.where ?? '1'}`;
}

function groupsSql(meter: Meter, groupBy: readonly string[]): string {
  return `[${groupBy.map((name) => dimensionText(name, meterDimensions(meter))).join(', ')}]::Array(String)`;
}

function inGroup(meter: Meter, group: Readonly<Record<string, string>> | null, placeholders: Placeholders): string {
  if (group === null || Object.keys(group).length === 0) return '1';
  const names = Object.keys(group);
  return `${groupsSql(meter, names)} = ${placeholders.texts(names.map((name) => group[name] ?? ''))}`;
}

function toLineEvent(row: EventRow): LineEvent {
  return {
    source: row.source, id: row.id, type: row.event_type, subject: row.subject, time: rfc3339Of(row.event_time), receivedAt: rfc3339Of(row.received), payloadHash: row.payload_hash,
    data: fromStoredData(row.stored), value: canonicalDecimal(row.value_text) ?? row.value_text, change: row.change === '' ? null : (row.change as LineEventChange),
    cursor: cursorOf({ timeMicros: row.time_micros, appendedMicros: row.appended_micros, position: row.place, partition: row.log_partition }),
  };
}
