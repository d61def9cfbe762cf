import { isUtf8 } from 'node:buffer';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';

/** One statement as it came over HTTP. */
export interface Statement {
  readonly sql: string;
  /** The rows of an INSERT, as bytes in the statement's format; null when there are none. */
  readonly data: Buffer | null;
  readonly database: string | null;
  readonly format: string;
  readonly settings: ReadonlyMap<string, string>;
  /** Values in ClickHouse's escaped text, as the HTTP interface takes them. */
  readonly parameters: ReadonlyMap<string, string>;
}

export interface StatementResult {
  readonly bytes: Uint8Array;
  readonly rowsRead: number;
  readonly bytesRead: number;
  readonly rowsWritten: number;
  readonly bytesWritten: number;
}

const nothing: StatementResult = { bytes: new Uint8Array(), rowsRead: 0, bytesRead: 0, rowsWritten: 0, bytesWritten: 0 };
const readsMax = 4;
const waitingMax = 2_000;
/** What a statement starts from; its own settings come after. chdb does not apply profiles of the settings file to sessions. */
const defaults = new Map([
  ['async_insert', '0'], // An acknowledged insert is written, and a token works, as on a server with the same setting.
  ['max_threads', '2'],
  ['max_execution_time', '600'], // chdb cannot interrupt a statement whose caller has left; this ends it at last.
  ['max_result_bytes', '536870912'], // Results are gathered whole before they are sent.
]);

/** The formats that the engine takes as bytes, and their rows written are told; the rest goes through the statement's text. */
const bytesFormats = new Set(['JSONEachRow', 'JSONCompactEachRow', 'CSV', 'CSVWithNames', 'TabSeparated', 'TSV', 'TabSeparatedWithNames', 'TSVWithNames', 'Native']);
const insertHead = /^\s*INSERT\s+INTO\s+(?:TABLE\s+)?([\w`.]+)\s*(?:\(([\w\s,`]*)\))?\s*(?:SETTINGS\s+(.+?))?\s+FORMAT\s+(\w+)\s*;?\s*$/is;

/** A single statement that only reads, so that it leaves nothing behind in its session; its own settings end with it. */
const soleRead = /^\s*(?:SELECT|WITH)\b[^;]*$/i;

/** What the engine takes for a pattern in the name of a file or its folders; it can't be escaped. */
const patternMarks = /[*?{}]/;

/** An exception of the engine, told as a server tells it: `Code: 60. DB::Exception: … (UNKNOWN_TABLE)`. */
export class EngineException extends Error {
  readonly code: number;

  constructor(message: string) {
    super(message.startsWith('Code: ') ? message : `Code: 1001. DB::Exception: ${message} (STD_EXCEPTION)`);
    this.name = 'EngineException';
    this.code = Number.parseInt(this.message.slice('Code: '.length), 10);
  }
}

/**
 * The engine, opened once on its folder. Settings, parameters and the current database stick to a chdb session, and a forgotten one
 * silently changed later statements. So each statement gets a session of its own, which costs 0.6 ms of its 1.3 ms where it says
 * little; only plain reads take one that nothing but reads of the very same settings had, and give it back.
 * Inserts of rows run one after another beside up to four other statements, so slow reads never hold up an insert.
 */
export class ClickHouseEngine {
  readonly #path: string;
  readonly #rows: RowFiles;
  readonly #root: Session;
  readonly #inserts = new Lane(1);
  readonly #others = new Lane(readsMax);
  /** At most as many as there are reads at a time, the longest unused first. */
  readonly #idle: { readonly prelude: string; readonly session: Session }[] = [];

  constructor(options: { path: string; configFile: string }) {
    this.#path = options.path;
    this.#rows = new RowFiles(`${options.path}-rows`);
    // The first session opens the engine with its settings file and keeps it open; later ones at the same path share it.
    this.#root = new Session(options.path, { connectionArgs: [`--config-file=${options.configFile}`] });
  }

  /** Runs one statement. Throws an EngineException for everything that the engine refuses. */
  run(statement: Statement): Promise<StatementResult> {
    if (statement.data === null && insertHead.test(statement.sql)) return Promise.resolve(nothing); // An insert of no rows.
    const lane = statement.data === null ? this.#others : this.#inserts;
    const isPlainRead = statement.data === null && statement.parameters.size === 0 && soleRead.test(statement.sql);
    return lane.run(() => (isPlainRead ? this.#runInKeptSession(statement) : this.#runInFreshSession(statement)));
  }

  /** Waits until all statements have ended, then closes the folder. */
  async close(): Promise<void> {
    await Promise.all([this.#inserts.close(), this.#others.close()]);
    for (const { session } of this.#idle.splice(0)) session.close();
    this.#root.close();
    this.#rows.remove();
  }

  /** A session that a statement failed in is not used again. */
  async #runInKeptSession(statement: Statement): Promise<StatementResult> {
    const wanted = prelude(statement);
    const place = this.#idle.findIndex(({ prelude: had }) => had === wanted);
    const session = this.#idle.splice(place, place < 0 ? 0 : 1)[0]?.session ?? new Session(this.#path);
    try {
      const result = await read(session, place < 0 ? afterPrelude(statement) : statement);
      this.#idle.push({ prelude: wanted, session });
      if (this.#idle.length > readsMax) this.#idle.shift()?.session.close();
      return result;
    } catch (error) {
      session.close();
      throw new EngineException((error as Error).message);
    }
  }

  async #runInFreshSession(statement: Statement): Promise<StatementResult> {
    const session = new Session(this.#path);
    try {
      return statement.data === null ? await read(session, afterPrelude(statement)) : await insert({ session, files: this.#rows }, statement, statement.data);
    } catch (error) {
      throw new EngineException((error as Error).message);
    } finally {
      session.close();
    }
  }
}

async function read(session: Session, statement: Pick<Statement, 'sql' | 'format'>): Promise<StatementResult> {
  const result = await session.queryAsync(statement.sql, { format: statement.format });
  return { bytes: result.bytes(), rowsRead: result.rowsRead, bytesRead: result.bytesRead, rowsWritten: 0, bytesWritten: 0 };
}

async function insert({ session, files }: { session: Session; files: RowFiles }, statement: Statement, data: Buffer): Promise<StatementResult> {
  const { sql } = statement;
  const [, table, columns, settings, format] = insertHead.exec(sql) ?? [];
  if (table === undefined || format === undefined || !bytesFormats.has(format)) {
    if (!isUtf8(data)) throw new EngineException('Code: 73. DB::Exception: The embedded engine takes rows as Native or in text formats, such as JSONEachRow. (UNKNOWN_FORMAT)');
    await session.queryAsync(`${prelude(statement)}; ${sql}\n${data.toString('utf8')}`);
    return nothing;
  }
  const inline = settings === undefined ? '' : `; SET ${settings}`; // The session is this statement's alone, so both ways to say it are one.
  await session.queryAsync(`${prelude(statement)}${inline}`);
  return files.with(data, async (file) => {
    const head = `INSERT INTO ${table}${columns === undefined ? '' : ` (${columns})`}`;
    const { rowsRead, bytesRead } = await session.queryAsync(`${head} FROM INFILE ${quoted(file)} COMPRESSION 'none' FORMAT ${format}`);
    return { ...nothing, rowsWritten: rowsRead, bytesWritten: bytesRead };
  });
}

/**
 * Rows on their way into the engine. It takes the rows of a statement's text apart as if they were SQL before it reads them, which
 * costs as much as the rest of the insert; rows of a file it only reads. A file is gone before the system has written it to the disk.
 */
class RowFiles {
  readonly #folder: string;
  #made = 0;

  constructor(folder: string) {
    rmSync(folder, { recursive: true, force: true }); // What a killed process left.
    this.#folder = patternMarks.test(folder) ? mkdtempSync(join(tmpdir(), 'tollway-rows-')) : folder;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  async with<T>(rows: Buffer, work: (file: string) => Promise<T>): Promise<T> {
    const file = join(this.#folder, String((this.#made += 1)));
    try {
      await writeFile(file, rows, { mode: 0o600 }).catch((error: unknown) => Promise.reject(new EngineException(`Code: 243. DB::Exception: Rows can not be laid down for the engine: ${(error as Error).message} (NOT_ENOUGH_SPACE)`)));
      return await work(file);
    } catch (error) {
      throw new EngineException((error as Error).message.replaceAll(file, 'rows'));
    } finally {
      await rm(file, { force: true });
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function afterPrelude(statement: Statement): Statement {
  return { ...statement, sql: `${prelude(statement)}; ${statement.sql}` };
}

function prelude({ database, settings, parameters }: Statement): string {
  const lines: string[] = [];
  if (database !== null) lines.push(`USE \`${database.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``);
  const assignments = [...defaults, ...settings, ...[...parameters].map(([name, value]) => [`param_${checkedName(name)}`, value] as const)];
  lines.push(`SET ${[...new Map(assignments)].map(([name, value]) => `${checkedName(name)} = ${quoted(value)}`).join(', ')}`);
  return lines.join('; ');
}

/** A setting or parameter name from the URL goes into a statement's text. */
function checkedName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  throw new EngineException(`Code: 115. DB::Exception: Unknown setting ${JSON.stringify(name)}. (UNKNOWN_SETTING)`);
}

function quoted(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Lets a bounded number of statements run at a time, first come, first served. */
class Lane {
  readonly #runningMax: number;
  #running = 0;
  #isClosed = false;
  readonly #waiting: (() => void)[] = [];
  #onIdle: (() => void) | null = null;

  constructor(runningMax: number) {
    this.#runningMax = runningMax;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new EngineException('Code: 236. DB::Exception: The engine is shutting down. (ABORTED)');
    if (this.#waiting.length >= waitingMax) throw new EngineException('Code: 202. DB::Exception: Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES)');
    if (this.#running < this.#runningMax) this.#running += 1;
    else await new Promise<void>((admit) => this.#waiting.push(admit)); // Whoever leaves hands over its place.
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
      if (this.#running === 0) this.#onIdle?.();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#running > 0) await new Promise<void>((done) => (this.#onIdle = done));
  }
}
