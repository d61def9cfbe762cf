import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { EngineException } from './clickhouse-engine.js';
import type { ClickHouseEngine, Statement, StatementResult } from './clickhouse-engine.js';

const bodyBytesMax = 256 * 1024 * 1024;
/** URL parameters of the HTTP interface that are no settings. The rest of the list is of no use in one process with one user. */
const ignored = new Set(['query_id', 'session_id', 'session_timeout', 'session_check', 'wait_end_of_query', 'send_progress_in_http_headers', 'role', 'compress', 'decompress', 'user', 'password', 'buffer_size']);
const taken = new Set(['query', 'database', 'default_format', 'enable_http_compression', 'param_']);
/** The statuses of a server; every other exception is a 500. */
const statusOf: Readonly<Record<number, number>> = { 62: 400, 47: 404, 60: 404, 81: 404, 115: 404, 36: 400, 27: 400, 117: 400, 202: 503, 236: 503, 516: 403, 457: 400, 456: 400 };
const gzipBytesMin = 1_024;

const inflate = promisify(gunzip);
const deflate = promisify(gzip);

/** Answers one request as ClickHouse's HTTP interface does, as far as @clickhouse/client uses it. */
export async function answer(use: { engine: ClickHouseEngine; user: string; password: string }, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://front');
  try {
    if (request.method === 'GET' && url.pathname === '/ping') return void response.end('Ok.\n');
    if (url.pathname !== '/') return void response.writeHead(404).end('There is no handle for this path.\n');
    if (!isAllowed(use, request)) throw new EngineException('Code: 516. DB::Exception: Authentication failed: password is incorrect. (AUTHENTICATION_FAILED)');
    const queryId = url.searchParams.get('query_id');
    if (queryId !== null) response.setHeader('X-ClickHouse-Query-Id', queryId);
    const statement = statementOf(url.searchParams, await bodyOf(request));
    const startedAt = process.hrtime.bigint();
    const result = await use.engine.run(statement);
    response.setHeader('X-ClickHouse-Summary', summaryOf(result, process.hrtime.bigint() - startedAt));
    await send({ request, response, params: url.searchParams, format: statement.format, bytes: result.bytes });
  } catch (error) {
    sendException(response, error);
  }
}

function isAllowed(use: { user: string; password: string }, request: IncomingMessage): boolean {
  const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const given = basic === undefined ? `${header(request, 'x-clickhouse-user')}:${header(request, 'x-clickhouse-key')}` : Buffer.from(basic, 'base64').toString('utf8');
  const [left, right] = [Buffer.from(given), Buffer.from(`${use.user}:${use.password}`)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function header(request: IncomingMessage, name: string): string {
  return String(request.headers[name] ?? '');
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) throw tooLarge();
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  const encoding = header(request, 'content-encoding');
  if (encoding === '') return body;
  if (encoding !== 'gzip') throw new EngineException(`Code: 36. DB::Exception: Unknown content encoding ${encoding}. (BAD_ARGUMENTS)`);
  return inflate(body, { maxOutputLength: bodyBytesMax }).catch(() => Promise.reject(tooLarge()));
}

function tooLarge(): EngineException {
  return new EngineException(`Code: 307. DB::Exception: The body is no gzip data or has more than ${bodyBytesMax} bytes. (TOO_MANY_BYTES)`);
}

/** A `query` in the URL makes the body its data; otherwise the body is the statement. */
function statementOf(params: URLSearchParams, body: Buffer): Statement {
  const inUrl = params.get('query');
  const settings = new Map<string, string>();
  const parameters = new Map<string, string>();
  for (const [name, value] of params) {
    if (name.startsWith('param_')) parameters.set(name.slice('param_'.length), value);
    else if (!ignored.has(name) && !taken.has(name)) settings.set(name, value);
  }
  return {
    sql: inUrl ?? body.toString('utf8'),
    data: inUrl === null || body.length === 0 ? null : body,
    database: params.get('database'),
    format: params.get('default_format') ?? 'TabSeparated',
    settings,
    parameters,
  };
}

function summaryOf(result: StatementResult, elapsedNs: bigint): string {
  return JSON.stringify({
    read_rows: String(result.rowsRead),
    read_bytes: String(result.bytesRead),
    written_rows: String(result.rowsWritten),
    written_bytes: String(result.bytesWritten),
    total_rows_to_read: '0',
    result_rows: String(result.rowsWritten),
    result_bytes: String(result.bytesWritten),
    elapsed_ns: String(elapsedNs),
  });
}

async function send(options: { request: IncomingMessage; response: ServerResponse; params: URLSearchParams; format: string; bytes: Uint8Array }): Promise<void> {
  const { response, bytes } = options;
  response.setHeader('X-ClickHouse-Format', options.format);
  const isWanted = options.params.get('enable_http_compression') === '1' && /\bgzip\b/.test(header(options.request, 'accept-encoding'));
  if (!isWanted || bytes.length < gzipBytesMin) return void response.end(bytes);
  const packed = await deflate(bytes, { level: 1 });
  response.setHeader('Content-Encoding', 'gzip');
  response.end(packed);
}

function sendException(response: ServerResponse, error: unknown): void {
  const exception = error instanceof EngineException ? error : new EngineException(error instanceof Error ? error.message : String(error));
  response.setHeader('X-ClickHouse-Exception-Code', String(exception.code));
  response.writeHead(statusOf[exception.code] ?? 500, { 'Content-Type': 'text/plain; charset=UTF-8', Connection: 'close' }).end(`${exception.message}\n`);
}
