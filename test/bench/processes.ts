import { readdirSync, readFileSync } from 'node:fs';

// Reads /proc, so there is no figure on other systems: what can't be read counts as nothing.

const ticksPerSecond = 100; // USER_HZ, the unit of /proc on every Linux.
const statFields = { parent: 1, userTime: 11, systemTime: 12, deadChildrenUserTime: 13, deadChildrenSystemTime: 14 } as const;

/** User and system time of this process, in seconds. */
export function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

/**
 * User and system time of processes and all that they started, in seconds. A child that ended is counted in its parent,
 * so the sum never falls while the roots live.
 */
export function cpuSecondsOf(roots: readonly number[]): number {
  const ticks = treeOf(roots).map(({ fields }) => {
    const { userTime, systemTime, deadChildrenUserTime, deadChildrenSystemTime } = statFields;
    return [userTime, systemTime, deadChildrenUserTime, deadChildrenSystemTime].reduce((sum, field) => sum + Number(fields[field] ?? 0), 0);
  });
  return ticks.reduce((sum, each) => sum + each, 0) / ticksPerSecond;
}

/** Memory of processes and all that they started, in bytes; what several of them share is counted once. */
export function memoryBytesOf(roots: readonly number[]): number {
  return treeOf(roots).reduce((sum, { pid }) => sum + proportionalBytes(pid), 0);
}

/** How many processes there are in the trees. */
export function processCountOf(roots: readonly number[]): number {
  return treeOf(roots).length;
}

interface ProcessStat {
  readonly pid: number;
  /** What stands after the command's name, from the state on. */
  readonly fields: readonly string[];
}

function treeOf(roots: readonly number[]): ProcessStat[] {
  const all = allProcesses();
  const members = new Set(roots);
  // Parents come before their children except where process ids started anew: repeat until nothing is added.
  for (let size = -1; size !== members.size; ) {
    size = members.size;
    for (const { pid, fields } of all) if (members.has(Number(fields[statFields.parent]))) members.add(pid);
  }
  return all.filter(({ pid }) => members.has(pid));
}

function allProcesses(): ProcessStat[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => statOf(Number(name)));
  } catch {
    return [];
  }
}

function statOf(pid: number): ProcessStat[] {
  const text = textOf(`/proc/${pid}/stat`);
  if (text === null) return [];
  return [{ pid, fields: text.slice(text.lastIndexOf(')') + 2).split(' ') }];
}

function proportionalBytes(pid: number): number {
  const match = /^Pss:\s+(\d+) kB/m.exec(textOf(`/proc/${pid}/smaps_rollup`) ?? '');
  return Number(match?.[1] ?? 0) * 1_024;
}

/** Null for a process that has ended meanwhile. */
function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
