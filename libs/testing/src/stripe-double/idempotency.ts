import type { Clock } from '#platform';

import { DoubleError } from './double-error.js';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface KeptAnswer {
  readonly fingerprint: string;
  readonly firstUsedAtMs: number;
  /** Null while the first call runs. */
  answer: Answer | null;
}

const keyLifeMs = 24 * 3_600_000;

/** Keys as Stripe keeps them: the first answer, failures too, comes again for 24 hours; then the key is new. */
export class IdempotencyKeys {
  private readonly kept = new Map<string, KeptAnswer>();

  constructor(private readonly clock: Clock) {}

  /** The kept answer; null when the call is to run now, and the key is then in use until `keep` or `release`. */
  begin(key: string, fingerprint: string): Answer | null {
    const nowMs = this.clock.now().epochMilliseconds;
    const known = this.kept.get(key);
    if (known === undefined || nowMs - known.firstUsedAtMs >= keyLifeMs) {
      this.kept.set(key, { fingerprint, firstUsedAtMs: nowMs, answer: null });
      return null;
    }
    if (known.answer === null) {
      throw new DoubleError({ status: 409, type: 'idempotency_error', code: 'idempotency_key_in_use', message: 'There is currently another in-progress request using this idempotency key.' });
    }
    if (known.fingerprint !== fingerprint) {
      throw new DoubleError({ status: 400, type: 'idempotency_error', message: 'Keys for idempotent requests can only be used with the same parameters they were first used with.' });
    }
    return known.answer;
  }

  keep(key: string, answer: Answer): void {
    const known = this.kept.get(key);
    if (known !== undefined) known.answer = answer;
  }

  /** The call did not run: the key stays unused. */
  release(key: string): void {
    this.kept.delete(key);
  }
}
