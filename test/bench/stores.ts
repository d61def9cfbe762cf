import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startClickHouseFront, startEmbeddedPostgres, type ClickHouseFront, type EmbeddedPostgres } from '#platform';

/** The product's own stores, started by the bench, so that it can look into them and tell their CPU time apart. */
export interface BenchStores {
  readonly dataDir: string;
  readonly postgres: EmbeddedPostgres;
  /** Null where none was asked for. */
  readonly clickHouse: ClickHouseFront | null;
  /** The processes that do the stores' work. */
  readonly pids: () => readonly number[];
  close(): Promise<void>;
}

const memoryMaxBytes = 1_500_000_000; // As standalone gives it.

/** Fully durable, as in production, in a folder that is removed at the end. */
export async function openStores(wanted: { readonly clickHouse: boolean }): Promise<BenchStores> {
  const folder = openFolder();
  try {
    const [postgres, clickHouse] = await Promise.all([
      startEmbeddedPostgres({ dataDir: folder.path }),
      wanted.clickHouse ? startClickHouseFront({ dataDir: folder.path, memoryMaxBytes }) : null,
    ]);
    return {
      dataDir: folder.path,
      postgres,
      clickHouse,
      pids: () => [postgres.pid, ...(clickHouse === null ? [] : [clickHouse.pid()])],
      close: async () => {
        await Promise.all([postgres.stop(), clickHouse?.stop()]);
        folder.remove();
      },
    };
  } catch (error) {
    folder.remove();
    throw error;
  }
}

export function openFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'tollway-bench-'));
  chmodSync(path, 0o755); // Where root runs this, the server is another user.
  // A bench that is interrupted ends by process.exit, while its servers may still be writing.
  const remove = (): void => {
    process.off('exit', remove);
    rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  };
  process.on('exit', remove);
  return { path, remove };
}

/** As the superuser. */
export function openPool(databaseUrl: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });
  pool.on('error', () => undefined); // The server goes first, now and then, and an idle connection tells of it.
  return pool;
}
