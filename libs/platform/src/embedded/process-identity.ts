import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * When a process began, as text that is only ever compared for equality; null when no such process runs.
 * An id alone is no proof: ids are used again, in containers within seconds. A zombie has ended, so it is null too.
 */
export function processStartOf(pid: number): string | null {
  if (process.platform !== 'linux') {
    const [start, state] = [psColumn('lstart=', pid), psColumn('stat=', pid)];
    return start === null || state === null || state.startsWith('Z') ? null : start;
  }
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The second field, the name, stands in brackets and may hold blanks and brackets itself: count from the last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  return state === 'Z' || state === 'X' ? null : (fields[19] ?? null); // Field 22 of proc(5): ticks since boot.
}

/** The command line of a running process, or null when there is none. */
export function commandOf(pid: number): string | null {
  if (process.platform !== 'linux') return psColumn('command=', pid);
  return readProc(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ') ?? null;
}

function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function psColumn(column: string, pid: number): string | null {
  const text = spawnSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  return text === '' ? null : text;
}
