import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../errors/fault.js';
import { processStartOf } from './process-identity.js';

/** Who runs a store on a data folder, and where its socket lies. */
interface FolderOwner {
  readonly pid: number;
  readonly startedAt: string;
  readonly socketDir: string | null;
}

export interface FolderClaim {
  /** What the last owner left behind when it was killed: its socket folder, to be removed. */
  readonly abandonedSocketDir: string | null;
  readonly release: () => void;
}

const attemptsMax = 5;

/**
 * Notes this process as the one that runs `store` on the data folder. Refuses while another living process holds it:
 * without that, a second start would take the first one's servers for orphans and stop them.
 */
export function claimFolder(options: { dataDir: string; store: string; socketDir: string | null }): FolderClaim {
  const path = join(options.dataDir, `${options.store}.owner.json`);
  const startedAt = processStartOf(process.pid) ?? 'unknown';
  const owner: FolderOwner = { pid: process.pid, startedAt, socketDir: options.socketDir };
  let abandonedSocketDir: string | null = null;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    try {
      writeFileSync(path, JSON.stringify(owner), { flag: 'wx', mode: 0o600 });
      return { abandonedSocketDir, release: () => rmSync(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const previous = readOwner(path);
    if (previous !== null && processStartOf(previous.pid) === previous.startedAt) throw inUse(options.dataDir, previous.pid);
    abandonedSocketDir = previous?.socketDir ?? abandonedSocketDir;
    rmSync(path, { force: true });
  }
  throw inUse(options.dataDir, null);
}

function inUse(dataDir: string, pid: number | null): Fault {
  const holder = pid === null ? 'another process that is starting' : pid === process.pid ? 'this very process' : `process ${pid}`;
  return new Fault({
    code: 'data_folder_in_use',
    detail: `The data folder ${dataDir} is already in use by ${holder}. Stop that one first, or choose another data folder.`,
    retryable: false,
  });
}

/** A file that was cut short by a crash tells nothing: null. */
function readOwner(path: string): FolderOwner | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as FolderOwner;
  } catch {
    return null;
  }
}
