import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Fault } from '../errors/fault.js';
import { postgresBinaries } from './postgres-binaries.js';
import { canReach, findServerUser, isRoot } from './server-user.js';
import type { ServerUser } from './server-user.js';

/** Where the cluster's files lie, who runs it, and which binaries it runs. */
export interface PostgresPlace {
  readonly clusterDir: string;
  /** Null: the user of this process. */
  readonly user: ServerUser | null;
  readonly binDir: string;
  /** What the operator should know about the place: null in the ordinary case. */
  readonly notice: string | null;
}

/** sockaddr_un holds 107 bytes and a final zero on Linux, three fewer on macOS. */
const socketPathBytesMax = 103;
const socketName = '.s.PGSQL.5432';
const pointerName = 'postgres.location';

/**
 * An ordinary user keeps the cluster in `<dataDir>/postgres`. For root the server runs as another user, and that one may be
 * unable to enter the data folder or to run the binaries, as in a clone below /root. Then both go below `elsewhere`,
 * and a pointer file in the data folder says where.
 */
export function choosePlace({ dataDir, elsewhere }: { dataDir: string; elsewhere: string }): PostgresPlace {
  const inside = join(dataDir, 'postgres');
  if (!isRoot()) return { clusterDir: inside, user: null, binDir: postgresBinaries({ user: null, elsewhere }), notice: null };
  const pointer = join(dataDir, pointerName);
  const pointed = existsSync(pointer) ? readPointer(pointer) : null;
  const user = userOfCluster(pointed ?? inside);
  const reachable = pointed === null && letIn(user, dataDir);
  const clusterDir = pointed ?? (reachable ? inside : newClusterElsewhere({ dataDir, pointer, elsewhere }));
  return { clusterDir, user, binDir: postgresBinaries({ user, elsewhere }), notice: clusterDir === inside ? null : noticeOf({ clusterDir, pointer }) };
}

/** A fresh folder for the socket, open to the server's user alone (and to root). */
export function makeSocketDir(user: ServerUser | null): string {
  const bases = [tmpdir(), '/tmp'].filter((base) => user === null || canReach(user, base));
  const base = bases.find((candidate) => Buffer.byteLength(join(candidate, 'tollway-XXXXXX', socketName)) <= socketPathBytesMax);
  if (base === undefined) {
    const detail = `Neither ${tmpdir()} nor /tmp can hold the socket of Postgres: its path may have at most ${socketPathBytesMax} bytes.`;
    throw new Fault({ code: 'no_socket_folder', detail, retryable: false });
  }
  const socketDir = mkdtempSync(join(base, 'tollway-')); // Mode 0700.
  if (user !== null) chownSync(socketDir, user.uid, user.gid);
  return socketDir;
}

/** A cluster that exists runs as its owner: it may have been made before somebody put sudo in front. */
function userOfCluster(clusterDir: string): ServerUser {
  const stat = statSync(clusterDir, { throwIfNoEntry: false });
  return stat === undefined || stat.uid === 0 ? findServerUser() : { uid: stat.uid, gid: stat.gid };
}

/** The data folder itself is Tollway's own, so its mode may be widened to let the server pass through (not list). The folders above are not ours to open. */
function letIn(user: ServerUser, dataDir: string): boolean {
  if (canReach(user, dataDir)) return true;
  if (!canReach(user, dirname(dataDir))) return false;
  chmodSync(dataDir, (statSync(dataDir).mode & 0o777) | 0o011);
  return canReach(user, dataDir);
}

function readPointer(pointer: string): string {
  const clusterDir = readFileSync(pointer, 'utf8').trim();
  if (existsSync(clusterDir)) return clusterDir;
  const detail = `${pointer} says that the Postgres data lies in ${clusterDir}, but nothing is there. Bring that folder back, or delete the pointer file to start with an empty database.`;
  throw new Fault({ code: 'postgres_data_missing', detail, retryable: false });
}

function newClusterElsewhere(options: { dataDir: string; pointer: string; elsewhere: string }): string {
  const folder = join(options.elsewhere, randomUUID());
  const clusterDir = join(folder, 'postgres');
  try {
    mkdirSync(clusterDir, { recursive: true });
    chmodSync(options.elsewhere, 0o755);
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, 'data-folder.txt'), `${options.dataDir}\n`);
    writeFileSync(options.pointer, `${clusterDir}\n`);
  } catch (cause) {
    const detail =
      `Postgres does not run as root, its user cannot enter ${options.dataDir}, and ${options.elsewhere} cannot be written either. ` +
        'Start Tollway as another user than root, or choose a data folder whose parents everybody may enter.';
    throw new Fault({ code: 'data_folder_unreachable', detail, retryable: false, cause });
  }
  return clusterDir;
}

function noticeOf({ clusterDir, pointer }: { clusterDir: string; pointer: string }): string {
  return `Postgres does not run as root and its user cannot enter this data folder, so the Postgres data lies in ${clusterDir} (noted in ${pointer}). Back up both.`;
}
