import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 20;

/** Looks again every 20 ms until `isDone` says yes. Returns false when the time is up. For processes and files only, never for business time. */
export async function waitUntil(isDone: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isDone())) {
    if (performance.now() > deadline) return false;
    await sleep(pollMs);
  }
  return true;
}
