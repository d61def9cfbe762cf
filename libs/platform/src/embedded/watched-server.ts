import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface WatchedServer {
  readonly pid: number;
  /** Resolves when it has ended, asked to or not. */
  readonly ended: Promise<void>;
  /** The end of what it wrote. */
  said(): string;
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL after the time. */
  stop(timeoutMs: number): Promise<void>;
}

const saidCharactersMax = 2_000;

/**
 * Runs the command as a child and prints its process id. When the input ends, because whoever started this is gone, it kills
 * the command: a killed run leaves no server behind.
 */
const watchedScript = `
exec 3<&0
"$@" </dev/null >>"$LOG" 2>&1 &
pid=$!
echo "$pid"
( read -r end <&3; kill -KILL "$pid" 2>/dev/null ) &
watcher=$!
wait "$pid"
code=$?
kill "$watcher" 2>/dev/null
exit $code`;

/** Starts a server that is no Node process and knows nothing of us, in such a way that it ends with us, however we end. */
export async function startWatchedServer({ command, log }: { readonly command: readonly string[]; readonly log: string }): Promise<WatchedServer> {
  const child = spawn('/bin/sh', ['-c', watchedScript, 'sh', ...command], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, LOG: log },
    detached: true, // Its own process group: Ctrl-C asks us to drain, and the server must outlive that.
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const line = await new Promise<string>((done, fail) => {
    child.once('error', fail);
    child.stdout.setEncoding('utf8').once('data', done);
  });
  const pid = Number.parseInt(line, 10);
  return {
    pid,
    ended,
    said: () => tailOf(log),
    signal: (name) => signal(pid, name),
    async stop(timeoutMs) {
      signal(pid, 'SIGTERM');
      const timer = setTimeout(() => signal(pid, 'SIGKILL'), timeoutMs);
      await ended;
      clearTimeout(timer);
      child.stdin.destroy();
    },
  };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already.
  }
}

function tailOf(log: string): string {
  try {
    return readFileSync(log, 'utf8').slice(-saidCharactersMax).trim();
  } catch {
    return 'it said nothing.';
  }
}
