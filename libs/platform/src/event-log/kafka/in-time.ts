import type { Clock } from '../../clock/clock.js';
import { Fault } from '../../errors/fault.js';

/** Waits for a broker's answer, but no longer than that: then it throws a retryable Fault, and the answer is nobody's any more. */
export async function inTime<T>(answer: Promise<T>, { clock, maxMs }: { readonly clock: Clock; readonly maxMs: number }): Promise<T> {
  const wait = new AbortController();
  const late = clock.sleep(maxMs, wait.signal).then(() => {
    throw new Fault({ code: 'log_unavailable', detail: `The event log did not answer within ${maxMs} ms.`, retryable: true });
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    wait.abort();
  }
}
