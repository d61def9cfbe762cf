import { createHash } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import { csvText, Fault } from '#platform';
import type { ExportColumn, ExportPage } from './export-content.js';

export interface ExportContent {
  readonly columns: readonly ExportColumn[];
  readonly pages: AsyncIterable<ExportPage>;
}

export interface WrittenFile {
  readonly rows: bigint;
  readonly bytes: bigint;
  readonly sha256: string;
}

const nameOfOurs = /^exp_[0-9a-z]+-job_[0-9a-z]+\.(csv|parquet)$/;

/** The folder of exported files. All processes of the app share it: what one wrote another gives out. */
export class ExportFiles {
  constructor(private readonly folder: string) {}

  /** Returns once the file is on disk. A name is written once. */
  async write(name: string, content: ExportContent): Promise<WrittenFile> {
    await onDisk(() => mkdir(this.folder, { recursive: true }));
    const path = join(this.folder, name);
    const rows = name.endsWith('.csv') ? await writeCsv(path, content) : await writeParquet(path, content);
    return onDisk(async () => {
      const file = await open(path, 'r+');
      await file.sync().finally(() => file.close());
      const hash = createHash('sha256');
      for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
      return { rows, bytes: BigInt((await stat(path)).size), sha256: hash.digest('hex') };
    });
  }

  /** Throws a Fault where the file is not in this process's folder. */
  async read(name: string): Promise<ReadStream> {
    try {
      return (await open(join(this.folder, name))).createReadStream();
    } catch (cause) {
      throw new Fault({ code: 'file_away', detail: 'The file is not in the folder of this process. EXPORT_DIR has to be one folder for all aggregators.', retryable: true, cause });
    }
  }

  async remove(name: string): Promise<void> {
    await onDisk(() => rm(join(this.folder, name), { force: true }));
  }

  /** Takes away what was last written before that, finished or not. Returns how many files. */
  async sweep(before: Temporal.Instant): Promise<number> {
    const names = await readdir(this.folder).catch(() => []); // Nobody exported anything yet.
    let removed = 0;
    for (const name of names.filter((each) => nameOfOurs.test(each))) {
      const written = await stat(join(this.folder, name)).catch(() => null); // Another process was quicker.
      if (written === null || written.mtimeMs >= before.epochMilliseconds) continue;
      await this.remove(name);
      removed += 1;
    }
    return removed;
  }
}

async function writeCsv(path: string, { columns, pages }: ExportContent): Promise<bigint> {
  const csvColumns = columns.map(({ name, kind }) => ({ name, isText: kind === 'text' }));
  let rows = 0n;
  const file = await onDisk(() => open(path, 'wx'));
  try {
    await onDisk(() => file.writeFile(csvText(csvColumns, [])));
    for await (const page of pages) {
      await onDisk(() => file.writeFile(csvText(csvColumns, page, { hasHeader: false })));
      rows += BigInt(page.length);
    }
  } finally {
    await file.close();
  }
  return rows;
}

/** Each page is a row group. Texts stay texts, so that decimals keep their digits in every reader. */
async function writeParquet(path: string, { columns, pages }: ExportContent): Promise<bigint> {
  const writer = await onDisk(() => new ParquetWriter({ writer: fileWriter(path), schema: [{ name: 'root', num_children: columns.length }, ...columns.map(elementOf)], statisticsTruncateLength: 64, createdBy: 'Tollway' }));
  let rows = 0n;
  for await (const page of pages) {
    const columnData = columns.map(({ name, kind }, index) => ({ name, data: page.map((cells) => (kind === 'instant' ? microsOfText(cells[index]) : (cells[index] ?? null))) }));
    await onDisk(() => writer.write({ columnData, rowGroupSize: page.length }));
    rows += BigInt(page.length);
  }
  await onDisk(() => writer.finish());
  return rows;
}

function elementOf({ name, kind }: ExportColumn) {
  if (kind !== 'instant') return { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' } as const;
  return { name, type: 'INT64', converted_type: 'TIMESTAMP_MICROS', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' }, repetition_type: 'OPTIONAL' } as const;
}

function microsOfText(text: string | null | undefined): bigint | null {
  return text === null || text === undefined ? null : Temporal.Instant.from(text).epochNanoseconds / 1_000n;
}

/** A full disk or a folder that may not be written is the outside world's fault, and may be over soon. */
async function onDisk<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if ((cause as { syscall?: string }).syscall === undefined) throw cause;
    throw new Fault({ code: 'file_not_written', detail: `The file could not be written: ${(cause as { code?: string }).code ?? 'unknown'}.`, retryable: true, cause });
  }
}
