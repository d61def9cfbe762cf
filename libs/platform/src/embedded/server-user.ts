import { spawnSync } from 'node:child_process';
import { Fault } from '../errors/fault.js';

/** The unprivileged user that Postgres runs as when this process is root: Postgres refuses to run as root. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

const userNames = ['postgres', 'tollway'];

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The machine's `postgres` user if it has one, otherwise a system user `tollway`, made on the spot. initdb needs a user with a name. */
export function findServerUser(): ServerUser {
  for (const name of userNames) {
    const user = lookUp(name);
    if (user !== null) return user;
  }
  spawnSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'tollway']);
  const made = lookUp('tollway');
  if (made !== null) return made;
  throw new Fault({
    code: 'no_server_user',
    detail: 'Postgres refuses to run as root, this machine has no user named postgres or tollway, and useradd could not make one. Start Tollway as another user than root.',
    retryable: false,
  });
}

function lookUp(name: string): ServerUser | null {
  const ask = (flag: string): number => Number.parseInt(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout ?? '', 10);
  const [uid, gid] = [ask('-u'), ask('-g')];
  return Number.isNaN(uid) || Number.isNaN(gid) || uid === 0 ? null : { uid, gid };
}

/**
 * Whether the user can enter the folder and read each file, found out by doing it: access lists, mounts and
 * security modules decide as well as the mode bits.
 */
export function canReach(user: ServerUser, folder: string, files: readonly string[] = []): boolean {
  const script = 'cd -- "$1" || exit 1; shift; for file; do [ -r "$file" ] || exit 1; done';
  return spawnSync('/bin/sh', ['-c', script, 'sh', folder, ...files], { ...user, cwd: '/', stdio: 'ignore' }).status === 0;
}
