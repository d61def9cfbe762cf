import { subjectBucket } from '#domain';
import type { ClickHouse } from './clickhouse.js';
import { microsOf, Placeholders, rfc3339Of } from './sql-builder.js';
import { fromStoredData } from './stored-data.js';

export interface EventPagesQuery {
  readonly organizationId: string;
  /** Event time, from inclusive, to exclusive. */
  readonly from: Temporal.Instant;
  readonly to: Temporal.Instant;
  /** Null for all. */
  readonly type: string | null;
  readonly subjects: readonly string[] | null;
}

/** An event that is counted, with its data as amendments left it. */
export interface PagedEvent {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** RFC 3339, six digits. */
  readonly time: string;
  readonly receivedAt: string;
  /** Canonical JSON text. */
  readonly data: string;
}

interface PageRow {
  readonly event_type: string;
  readonly bucket: number;
  readonly subject: string;
  readonly time: string;
  readonly source: string;
  readonly id: string;
  readonly payload_hash: string;
  readonly received_at: string;
  readonly data: string;
}

const pageRowsMaxDefault = 10_000;
const pageBytesMax = 32_000_000;
/** Subjects that one statement names; they travel with it. */
const subjectsPerStatement = 2_000;

/**
 * All counted events of a range, page by page, so that neither ClickHouse nor we hold more than a page. They come month by
 * month, within each in the order in which they are stored (type, bucket of the subject, subject, time), so that a page is
 * found by the primary key and the whole is read once.
 */
export class EventPages {
  constructor(private readonly clickhouse: ClickHouse, private readonly options: { readonly pageRowsMax: number } = { pageRowsMax: pageRowsMaxDefault }) {}

  async *pages(query: EventPagesQuery): AsyncGenerator<PagedEvent[]> {
    for (const subjects of parts(query.subjects)) {
      for (const month of months(query)) yield* this.month({ ...query, ...month, subjects });
    }
  }

  private async *month(query: EventPagesQuery): AsyncGenerator<PagedEvent[]> {
    const limit = await this.pageRows(query);
    for (let last: PageRow | null = null, isMore = limit > 0; isMore;) {
      const placeholders = new Placeholders();
      const conditions = [...conditionsOf(query, placeholders), ...(last === null ? [] : behind(last, placeholders))];
      const rows: PageRow[] = await this.clickhouse.query<PageRow>({
        sql: `SELECT event_type, bucket, subject, toString(time) AS time, source, id, payload_hash, toString(received_at) AS received_at, data
          FROM (SELECT * FROM events FINAL WHERE ${conditions.join(' AND ')}) AS page
          ORDER BY page.event_type, page.bucket, page.subject, page.time, page.source, page.id, page.payload_hash LIMIT ${limit}`,
        parameters: placeholders.parameters,
      });
      isMore = rows.length === limit;
      last = rows.at(-1) ?? null;
      if (rows.length > 0) yield rows.map(toEvent);
    }
  }

  /** As many as fit into a page whatever they are like; 0 where there are none. */
  private async pageRows(query: EventPagesQuery): Promise<number> {
    const placeholders = new Placeholders();
    const [found] = await this.clickhouse.query<{ longest: string; events: string }>({
      sql: `SELECT toString(max(length(data))) AS longest, toString(count()) AS events FROM events WHERE ${conditionsOf(query, placeholders).join(' AND ')}`,
      parameters: placeholders.parameters,
    });
    if (found === undefined || found.events === '0') return 0;
    return Math.max(1, Math.min(this.options.pageRowsMax, Math.floor(pageBytesMax / Math.max(1, Number(found.longest)))));
  }
}

function parts(subjects: readonly string[] | null): (readonly string[] | null)[] {
  if (subjects === null) return [null];
  const distinct = [...new Set(subjects)];
  return Array.from({ length: Math.ceil(distinct.length / subjectsPerStatement) }, (_, index) => distinct.slice(index * subjectsPerStatement, (index + 1) * subjectsPerStatement));
}

/** As the table is partitioned: by calendar months of UTC. */
function months({ from, to }: EventPagesQuery): { from: Temporal.Instant; to: Temporal.Instant }[] {
  const found: { from: Temporal.Instant; to: Temporal.Instant }[] = [];
  for (let start = from; Temporal.Instant.compare(start, to) < 0;) {
    const next = start.toZonedDateTimeISO('UTC').with({ day: 1 }).startOfDay().add({ months: 1 }).toInstant();
    const end = Temporal.Instant.compare(next, to) < 0 ? next : to;
    found.push({ from: start, to: end });
    start = end;
  }
  return found;
}

function conditionsOf(query: EventPagesQuery, placeholders: Placeholders): string[] {
  const found = [`organization_id = ${placeholders.text(query.organizationId)}`, `time >= ${instantSql(microsOf(query.from))}`, `time < ${instantSql(microsOf(query.to))}`];
  if (query.type !== null) found.push(`event_type = ${placeholders.text(query.type)}`);
  if (query.subjects !== null) {
    found.push(`bucket IN (${[...new Set(query.subjects.map(subjectBucket))].join(', ')})`, `subject IN ${placeholders.texts(query.subjects)}`);
  }
  return found;
}

/** Rows behind this one in the order of the primary key; the first three say it once more in a way that the index is used for. */
function behind(row: PageRow, placeholders: Placeholders): string[] {
  const [type, subject] = [placeholders.text(row.event_type), placeholders.text(row.subject)];
  const place = `(${type}, ${row.bucket}, ${subject}, toDateTime64('${row.time}', 6, 'UTC'), ${placeholders.text(row.source)}, ${placeholders.text(row.id)}, ${placeholders.text(row.payload_hash)})`;
  return [
    `event_type >= ${type}`,
    `(event_type > ${type} OR bucket >= ${row.bucket})`,
    `(event_type > ${type} OR bucket > ${row.bucket} OR subject >= ${subject})`,
    `(event_type, bucket, subject, time, source, id, payload_hash) > ${place}`,
  ];
}

function instantSql(micros: bigint): string {
  return `fromUnixTimestamp64Micro(toInt64(${micros}), 'UTC')`;
}

function toEvent(row: PageRow): PagedEvent {
  return {
    source: row.source, id: row.id, type: row.event_type, subject: row.subject, time: rfc3339Of(row.time), receivedAt: rfc3339Of(row.received_at), data: fromStoredData(row.data),
  };
}
