import { Readable } from 'node:stream';
import { ClickHouseError, type ClickHouseClient, type ClickHouseSettings } from '@clickhouse/client';
import { Fault } from '#platform';

/** Values for `{name:Type}` placeholders. Text never becomes part of a statement except through these or `quoted`. */
export type SqlParameters = Readonly<Record<string, string | number | readonly string[] | readonly number[]>>;

export interface Statement {
  readonly sql: string;
  readonly parameters?: SqlParameters;
}

/** What ClickHouse says of rows that it can't read: another try would end the same way. */
const rowRefusals = new Set(['6', '25', '26', '27', '38', '41', '69', '70', '72', '117', '131', '321', '407', '469']);
/** A statement said how many rows it may read at most. */
const tooManyRows = '158';
/** Above this a statement is longer than ClickHouse parses unless told; it can't be told within the statement. */
const plainStatementLengthMax = 200_000;
const rowsPerChunk = 500;

/**
 * One app's way to ClickHouse. Settings stand in the statements' text, so that nothing sticks to a connection.
 * Throws a Fault for whatever fails; `rows_refused` where the rows themselves are the reason.
 */
export class ClickHouse {
  constructor(private readonly client: ClickHouseClient) {}

  async query<Row>(statement: Statement): Promise<Row[]> {
    return this.guard(async () => {
      const result = await this.client.query({ query: statement.sql, format: 'JSONEachRow', ...requestOf(statement) });
      return result.json<Row>();
    });
  }

  /** Gives the rows of a single text column in blocks, so that a long answer never stands in memory whole. */
  async *texts(statement: Statement): AsyncGenerator<string[]> {
    const result = await this.guard(() => this.client.query({ query: statement.sql, format: 'TabSeparated', ...requestOf(statement) }));
    for await (const rows of result.stream() as AsyncIterable<{ text: string }[]>) yield rows.map(({ text }) => text);
  }

  /** Gives an answer in ClickHouse's format RowBinary as it comes. It is whole before its first byte is sent, so none ends in the midst of it. */
  async *binaryRows(statement: Statement): AsyncGenerator<Buffer> {
    const { clickhouse_settings: settings, ...request } = requestOf(statement);
    const { stream } = await this.guard(() => this.client.exec({ query: `${statement.sql} FORMAT RowBinary`, ...request, clickhouse_settings: { ...settings, wait_end_of_query: 1 } }));
    for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
  }

  async command(statement: Statement): Promise<void> {
    await this.guard(async () => this.client.command({ query: statement.sql, ...requestOf(statement) }));
  }

  /** Writes rows, each a JSON array of the columns' values as text. Written to disk when it resolves. */
  async insert(table: string, columns: readonly string[], rows: readonly string[]): Promise<void> {
    if (rows.length > 0) await this.write({ table, columns, format: 'JSONCompactEachRow' }, chunksOf(rows));
  }

  /** Writes blocks of Native, given as bytes. Written to disk when it resolves. */
  async insertBlocks(table: string, columns: readonly string[], blocks: readonly Buffer[]): Promise<void> {
    if (blocks.length > 0) await this.write({ table, columns, format: 'Native' }, blocks);
  }

  private async write({ table, columns, format }: { table: string; columns: readonly string[]; format: string }, blocks: Iterable<Buffer>): Promise<void> {
    const query = `INSERT INTO ${table} (${columns.join(', ')}) SETTINGS async_insert=0, date_time_input_format='basic', max_partitions_per_insert_block=0 FORMAT ${format}`;
    await this.guard(async () => {
      const { stream } = await this.client.exec({ query, values: Readable.from(blocks, { objectMode: false }) });
      for await (const _ of stream) void _; // An exception after the first bytes of the answer would be missed otherwise.
    });
  }

  private async guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw faultOf(cause);
    }
  }
}

/** A string literal. For numbers and texts that are too many for parameters, which travel in the URL. */
export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Rows of JSON arrays as a relation that a query can join. */
export function rowsLiteral(structure: string, rows: readonly string[]): string {
  return `format(JSONCompactEachRow, ${quoted(structure)}, ${quoted(rows.join('\n'))})`;
}

function* chunksOf(rows: readonly string[]): Generator<Buffer> {
  for (let at = 0; at < rows.length; at += rowsPerChunk) yield Buffer.from(`${rows.slice(at, at + rowsPerChunk).join('\n')}\n`);
}

function requestOf(statement: Statement): { query_params?: Record<string, unknown>; clickhouse_settings?: ClickHouseSettings } {
  return {
    ...(statement.parameters === undefined ? {} : { query_params: { ...statement.parameters } }),
    ...(statement.sql.length > plainStatementLengthMax ? { clickhouse_settings: { max_query_size: String(statement.sql.length * 4) } } : {}),
  };
}

function faultOf(cause: unknown): Fault {
  if (cause instanceof Fault) return cause;
  const detail = cause instanceof Error ? cause.message : String(cause);
  if (!(cause instanceof ClickHouseError)) {
    return new Fault({ code: 'clickhouse_unavailable', detail: `ClickHouse can not be reached: ${detail}`, retryable: true, cause });
  }
  if (cause.code === tooManyRows) return new Fault({ code: 'too_many_rows', detail: `ClickHouse would read too many rows: ${detail}`, retryable: false, cause });
  if (rowRefusals.has(cause.code)) return new Fault({ code: 'rows_refused', detail: `ClickHouse refuses the rows: ${detail}`, retryable: false, cause });
  return new Fault({ code: 'clickhouse_failed', detail: `ClickHouse failed: ${detail}`, retryable: retryableCodes.has(cause.code), cause });
}

/** Timeouts, overload, memory, shutting down, disk. */
const retryableCodes = new Set(['159', '160', '202', '203', '209', '210', '236', '241', '242', '243', '252', '319', '394', '999', '1002']);
