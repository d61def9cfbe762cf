import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';

export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A port on 127.0.0.1 that it listens on once it is ready; null where it listens on none. */
  readonly port: number | null;
}

export interface RunningProgram {
  /** What it has written so far. */
  readonly said: () => string;
  /** SIGTERM, and SIGKILL where it does not end by that. */
  readonly stop: () => Promise<void>;
}

const startMsMax = 20_000;
const stopMsMax = 10_000;
const pauseMs = 20;

/** Starts a real program for a test, and waits until it takes connections. One that ends at once is an error with what it said. */
export async function startProgram({ command, args, env, port }: ProgramOptions): Promise<RunningProgram> {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const keep = (chunk: Buffer): void => void (text += chunk.toString());
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let failure: Error | null = null;
  child.on('error', (error) => void (failure = error));
  const hasEnded = (): boolean => failure !== null || child.exitCode !== null || child.signalCode !== null;
  const program: RunningProgram = {
    said: () => text,
    async stop() {
      if (hasEnded()) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
      await ended;
      clearTimeout(timer);
    },
  };
  const deadline = performance.now() + startMsMax;
  while (port !== null && !(await takesConnections(port))) {
    if (hasEnded() || performance.now() > deadline) {
      await program.stop();
      throw new Error(`${command} does not take connections on port ${port}. It said: ${text}`);
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return program;
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
