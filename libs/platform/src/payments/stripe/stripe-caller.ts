import Stripe from 'stripe';

import { refusal } from '../payment-outcome.js';
import type { PaymentFailure } from '../payment-outcome.js';
import type { TokenBucket } from '../token-bucket.js';

/** A step either has its value or ends the run with a failure. */
export type Step<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: PaymentFailure };

export type CallResult<T> =
  | { readonly ok: true; readonly value: T; readonly replayed: boolean }
  | {
      readonly ok: false;
      readonly failure: PaymentFailure;
      /** Stripe gives this answer to the key from now on, whatever the call did: it is over, and only another key can do more. */
      readonly keySpent: boolean;
    };

const connectFailures = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
const unreachableRetryMs = 5_000;
/** Longer than Stripe lets a call run, so that what was in flight has landed when we look. */
const unknownRetryMs = 30_000;
const rateLimitedRetryMs = 1_000;
const inUseRetryMs = 2_000;

/** Makes single calls at our own pace and sorts what came back. Never repeats one. */
export class StripeCaller {
  constructor(
    private readonly stripe: Stripe,
    private readonly bucket: TokenBucket,
  ) {}

  async run<T>(call: string, send: (stripe: Stripe) => Promise<Stripe.Response<T>>): Promise<CallResult<T>> {
    const permit = await this.bucket.take();
    if (!permit.granted) {
      const detail = 'Our own limit of calls to Stripe is used up.';
      return { ok: false, failure: { kind: 'retry_later', call, detail, retryAfterMs: permit.retryAfterMs }, keySpent: false };
    }
    try {
      const value = await send(this.stripe);
      return { ok: true, value, replayed: value.lastResponse.headers['idempotent-replayed'] === 'true' };
    } catch (error) {
      if (!(error instanceof Stripe.errors.StripeError)) throw error;
      return sortFailure(call, error);
    }
  }

  /** A read: it has no key, so there is nothing to know but its value or its failure. */
  async read<T>(call: string, send: (stripe: Stripe) => Promise<Stripe.Response<T>>): Promise<Step<T>> {
    return this.run(call, send);
  }
}

function sortFailure(call: string, error: Stripe.errors.StripeError): { ok: false; failure: PaymentFailure; keySpent: boolean } {
  const replayed = error.headers?.['idempotent-replayed'] === 'true';
  const detail = `${call}: ${error.message}`;
  const status = error.statusCode ?? 0;
  if (error instanceof Stripe.errors.StripeConnectionError) {
    return { ok: false, failure: connectionFailure({ call, detail, cause: error.detail }), keySpent: false };
  }
  if (status === 429 || status === 409) {
    const retryAfterMs = status === 409 ? inUseRetryMs : waitAsked(error);
    // A refusal to run now is not kept under the key. A lock that timed out while running is, and would answer for a day.
    return { ok: false, failure: { kind: 'retry_later', call, detail, retryAfterMs }, keySpent: replayed };
  }
  if (status === 0 || status >= 500) {
    return { ok: false, failure: { kind: 'unknown', call, detail, retryAfterMs: unknownRetryMs }, keySpent: replayed };
  }
  // The key was used with other parameters before (a party that was renamed in between): that earlier call is the one to read.
  const keySpent = error instanceof Stripe.errors.StripeIdempotencyError;
  return { ok: false, failure: refusal(refusalCode(error, status), withCode(detail, error)), keySpent };
}

function connectionFailure(of: { call: string; detail: string; cause: unknown }): PaymentFailure {
  const code = of.cause instanceof Error && 'code' in of.cause ? String(of.cause.code) : '';
  if (connectFailures.has(code)) return { kind: 'retry_later', call: of.call, detail: `${of.detail} (${code})`, retryAfterMs: unreachableRetryMs };
  return { kind: 'unknown', call: of.call, detail: of.detail, retryAfterMs: unknownRetryMs };
}

function refusalCode(error: Stripe.errors.StripeError, status: number): 'credentials_refused' | 'payment_declined' | 'not_found' | 'request_refused' {
  if (status === 401 || status === 403) return 'credentials_refused';
  if (status === 402) return 'payment_declined';
  return status === 404 || error.code === 'resource_missing' ? 'not_found' : 'request_refused';
}

function withCode(detail: string, error: Stripe.errors.StripeError): string {
  const codes = [error.code, error.decline_code].filter((code) => code !== undefined && code !== '');
  return codes.length === 0 ? detail : `${detail} (${codes.join(', ')})`;
}

function waitAsked(error: Stripe.errors.StripeError): number {
  const seconds = Number.parseInt(error.headers?.['retry-after'] ?? '', 10);
  return Number.isNaN(seconds) ? rateLimitedRetryMs : Math.min(Math.max(seconds, 1), 600) * 1000;
}
