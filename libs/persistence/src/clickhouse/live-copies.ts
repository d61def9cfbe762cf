import { LRUCache } from 'lru-cache';
import type { ClickHouse } from './clickhouse.js';
import { copyColumns, listedRows, toListed, type EventReader, type ListedEvent, type ListedRow } from './event-reader.js';
import { Placeholders } from './sql-builder.js';

/** How far copies were seen: the last position of each partition of the log. */
export type LivePlace = ReadonlyMap<number, bigint>;

export interface LiveFilter {
  readonly organizationId: string;
  readonly type: string | null;
  readonly subject: string | null;
  readonly source: string | null;
  /** Only of these subjects, whenever they belonged; null for all. */
  readonly subjects: readonly string[] | null;
}

/** Copies of one partition that are read at once. */
const copiesMax = 200;
/** Days of receipt that are looked at. What the aggregator counts later than that after its receipt is not shown live. */
const daysBack = 2;
const organizationsMax = 1_000;
/** All who listen to one organization ask once in so long. */
const frontierMs = 500;

/**
 * Copies as the aggregator writes them, each once: within a partition they become readable in the order of the log, so the
 * last position of each is where to go on, whichever process asks.
 */
export class LiveCopies {
  private readonly frontiers: LRUCache<string, LivePlace>;

  constructor(
    private readonly clickhouse: ClickHouse,
    private readonly reader: EventReader,
  ) {
    this.frontiers = new LRUCache<string, LivePlace>({
      max: organizationsMax,
      ttl: frontierMs,
      noDeleteOnFetchRejection: true,
      fetchMethod: (organizationId, before) => this.readFrontier(organizationId, before ?? new Map()),
    });
  }

  /** The last positions that can be read, as of half a second ago at most. */
  async frontier(organizationId: string): Promise<LivePlace> {
    return (await this.frontiers.fetch(organizationId)) ?? new Map();
  }

  private async readFrontier(organizationId: string, from: LivePlace): Promise<LivePlace> {
    const placeholders = new Placeholders();
    const rows = await this.clickhouse.query<{ partition: number; last: string }>({
      sql: `SELECT partition, toString(max(position)) AS last FROM event_copies
            WHERE organization_id = ${placeholders.text(organizationId)} AND ${recent} AND ${behind(from)} GROUP BY partition`,
      parameters: placeholders.parameters,
    });
    return new Map([...from, ...rows.map(({ partition, last }) => [partition, BigInt(last)] as const)]);
  }

  /** What came after one place, up to another, by partition and position; of each partition its next ones. */
  async read(filter: LiveFilter, { from, to }: { readonly from: LivePlace; readonly to: LivePlace }): Promise<ListedEvent[]> {
    const placeholders = new Placeholders();
    const conditions = [`organization_id = ${placeholders.text(filter.organizationId)}`, recent, behind(from), `NOT ${behind(to)}`];
    if (filter.type !== null) conditions.push(`event_type = ${placeholders.text(filter.type)}`);
    if (filter.subject !== null) conditions.push(`subject = ${placeholders.text(filter.subject)}`);
    if (filter.source !== null) conditions.push(`source = ${placeholders.text(filter.source)}`);
    if (filter.subjects !== null) conditions.push(`subject IN ${placeholders.texts(filter.subjects)}`);
    const copies = `SELECT ${copyColumns}, toString(verdict) AS verdict FROM event_copies FINAL WHERE ${conditions.join(' AND ')} ORDER BY partition, position LIMIT ${copiesMax} BY partition`;
    const rows = await this.clickhouse.query<ListedRow>({ sql: listedRows(copies), parameters: placeholders.parameters });
    const listed = rows.map(toListed).sort((a, b) => a.cursor.partition - b.cursor.partition || (a.cursor.position < b.cursor.position ? -1 : 1));
    return this.reader.withData(filter.organizationId, listed);
  }

  /** Whether something lies between the places. Another process may have seen more than this one knows of. */
  static isBehind(place: LivePlace, frontier: LivePlace): boolean {
    return [...frontier].some(([partition, position]) => position > (place.get(partition) ?? -1n));
  }

  /** Whether so many of one partition were read that more may follow. */
  static isFull(copies: readonly ListedEvent[], partition: number): boolean {
    return copies.filter(({ cursor }) => cursor.partition === partition).length >= copiesMax;
  }
}

const recent = `received_at >= now64(6) - INTERVAL ${daysBack} DAY`;

/** Whether a row lies behind the place. A partition that is not in it is new. */
function behind(place: LivePlace): string {
  if (place.size === 0) return '1';
  const known = [...place].map(([partition, position]) => `(partition = ${partition} AND position > ${position})`);
  return `(${known.join(' OR ')} OR partition NOT IN (${[...place.keys()].join(', ')}))`;
}
