import type { ClickHouse } from './clickhouse.js';
import { microsOf, Placeholders } from './sql-builder.js';

/** What came from one source within an hour of receipt. */
export interface SourceHour {
  readonly hour: Temporal.Instant;
  /** All events that were sent: those that were accepted, copies included, and those that were refused. */
  readonly received: number;
  readonly refused: number;
  readonly duplicates: number;
  readonly conflicts: number;
}

export interface SourceActivityQuery {
  readonly organizationId: string;
  readonly source: string;
  /** Receipt, from inclusive, to exclusive. */
  readonly from: Temporal.Instant;
  readonly to: Temporal.Instant;
}

type Row = Readonly<Record<'seconds' | 'received' | 'refused' | 'duplicates' | 'conflicts', string>>;

/** Counts what sources sent, from the verdicts of copies, as long as they are kept, and from the dead letters. */
export class SourceActivityReader {
  constructor(private readonly clickhouse: ClickHouse) {}

  /** In order; hours in which nothing came are left out. */
  async read({ organizationId, source, from, to }: SourceActivityQuery): Promise<SourceHour[]> {
    const placeholders = new Placeholders();
    const organization = placeholders.text(organizationId);
    const name = placeholders.text(source);
    const within = ['>=', '<'].map((comparison, at) => `received_at ${comparison} fromUnixTimestamp64Micro(toInt64(${microsOf(at === 0 ? from : to)}), 'UTC')`).join(' AND ');
    const columns = ['received', 'refused', 'duplicates', 'conflicts'];
    const rows = await this.clickhouse.query<Row>({
      sql: `
        SELECT toString(toUnixTimestamp(hour)) AS seconds, ${columns.map((column) => `toString(sum(${column})) AS ${column}`).join(', ')} FROM (
          SELECT toStartOfHour(received_at) AS hour, count() AS received, 0 AS refused, countIf(verdict = 'duplicate') AS duplicates, countIf(verdict = 'conflict') AS conflicts
          FROM event_copies FINAL WHERE organization_id = ${organization} AND source = ${name} AND ${within} GROUP BY hour
          UNION ALL
          SELECT toStartOfHour(received_at) AS hour, count() AS received, count() AS refused, 0 AS duplicates, 0 AS conflicts
          FROM dead_letters FINAL WHERE organization_id = ${organization} AND event_source = ${name} AND kind = 'refused' AND ${within} GROUP BY hour
        ) AS hours GROUP BY hour ORDER BY hour`,
      parameters: placeholders.parameters,
    });
    return rows.map(({ seconds, received, refused, duplicates, conflicts }) => ({
      hour: Temporal.Instant.fromEpochMilliseconds(Number(seconds) * 1_000),
      received: Number(received),
      refused: Number(refused),
      duplicates: Number(duplicates),
      conflicts: Number(conflicts),
    }));
  }
}
