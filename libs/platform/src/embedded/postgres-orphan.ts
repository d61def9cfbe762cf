import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../errors/fault.js';
import { commandOf, processStartOf } from './process-identity.js';
import { waitUntil } from './wait-until.js';

const stopTimeoutMs = 60_000;

/**
 * Stops a server that outlived a killed run, by fast shutdown, and waits until it is gone. The caller holds the folder's claim,
 * so the server has no living owner. A pid file without its server is harmless; one whose id now belongs
 * to another program would keep Postgres from starting, so it goes.
 */
export async function stopOrphan(clusterDir: string): Promise<'none' | 'stopped'> {
  const pid = postmasterPid(clusterDir);
  if (pid === null || processStartOf(pid) === null) return 'none';
  const command = commandOf(pid) ?? '';
  if (!command.includes('postgres') || !command.includes(clusterDir)) {
    rmSync(join(clusterDir, 'postmaster.pid'), { force: true });
    return 'none';
  }
  process.kill(pid, 'SIGINT');
  if (await waitUntil(() => processStartOf(pid) === null, stopTimeoutMs)) return 'stopped';
  throw new Fault({
    code: 'orphan_does_not_stop',
    detail: `A Postgres server of an earlier run (process ${pid}) still runs on ${clusterDir} and does not stop. End it, then start again.`,
    retryable: true,
  });
}

/** The lines of postmaster.pid: process id first, `ready` on the eighth once the server takes connections. Null while there is none. */
export function pidFileLines(clusterDir: string): string[] | null {
  try {
    return readFileSync(join(clusterDir, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return null;
  }
}

function postmasterPid(clusterDir: string): number | null {
  const pid = Number.parseInt(pidFileLines(clusterDir)?.[0] ?? '', 10);
  return Number.isNaN(pid) || pid <= 0 ? null : pid;
}
