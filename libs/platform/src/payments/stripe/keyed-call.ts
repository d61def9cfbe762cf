import type Stripe from 'stripe';

import type { Step, StripeCaller } from './stripe-caller.js';

export interface KeyedCall<T> {
  readonly call: string;
  /** Our id of what the call is about; with the call's name and the attempt it makes the idempotency key. */
  readonly ourId: string;
  readonly send: (stripe: Stripe, options: { idempotencyKey: string }) => Promise<Stripe.Response<T>>;
  /** Looks whether the call's effect is there; null proves that it is not. */
  readonly read: () => Promise<Step<T | null>>;
  /** Somebody may have taken the effect back by hand (deleted a draft), so an old success that a read does not confirm is not the end. */
  readonly canBeUndone: boolean;
}

const attemptsMax = 10;
/** By then Stripe has forgotten the first keys. */
const exhaustedRetryMs = 3_600_000;

/**
 * Makes a call whose effect must happen once. Stripe answers a key that it has seen with its first answer, a 500 too, for 24 hours. So:
 * the same key again is always safe, and it is used again whenever the call might still be running; only when Stripe shows that the key is
 * spent, and a read then proves that its effect is absent, does the attempt rise. Each run begins at the first attempt and finds its way
 * along the spent keys, so nothing has to be stored between two runs.
 */
export async function keyedCall<T>(caller: StripeCaller, wanted: KeyedCall<T>): Promise<Step<T>> {
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const idempotencyKey = `${wanted.ourId}:${wanted.call}:${attempt}`;
    const result = await caller.run(wanted.call, (stripe) => wanted.send(stripe, { idempotencyKey }));
    if (result.ok && !result.replayed) return result;
    if (!result.ok && !result.keySpent && result.failure.kind !== 'refused') return result;
    // Either an old answer, which is a picture of the past, or a refusal, which may only say that the effect is already there.
    const seen = await wanted.read();
    if (!seen.ok) return seen;
    if (seen.value !== null) return { ok: true, value: seen.value };
    if (result.ok && !wanted.canBeUndone) return result;
    if (!result.ok && !result.keySpent) return result;
  }
  const detail = `${attemptsMax} keys of ${wanted.call} for ${wanted.ourId} are spent without an effect.`;
  return { ok: false, failure: { kind: 'unknown', call: wanted.call, detail, retryAfterMs: exhaustedRetryMs } };
}
