import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A server in a process of its own, so that its CPU time is not that of the load. */
export interface ChildServer {
  readonly pid: number;
  readonly port: number;
  close(): Promise<void>;
}

const startTimeoutMs = 120_000;
const stopTimeoutMs = 10_000;

/** Runs one of the `*-server.ts` files of this folder, which tells its port once it listens and ends when its parent disconnects. */
export async function startChildServer(file: string, environment: Readonly<Record<string, string>>): Promise<ChildServer> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), { env: { ...process.env, ...environment }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  const told = await Promise.race([
    once(child, 'message', { signal: AbortSignal.timeout(startTimeoutMs) }).then(([message]) => message as { port: number }),
    ended.then(() => null),
  ]);
  if (told === null) throw new Error(`${file} ended before it listened.`);
  return {
    pid: child.pid ?? 0,
    port: told.port,
    close: async () => {
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** For the server's side: says the port, and closes when the parent lets go or is gone. */
export function serveParent(port: number, close: () => Promise<void>): void {
  process.send?.({ port });
  process.once('disconnect', () => void close().finally(() => process.exit(0)));
}
