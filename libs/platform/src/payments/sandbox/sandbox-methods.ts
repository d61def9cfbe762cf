import type { SandboxPayment } from './sandbox-store.js';

/**
 * What the sandbox does by payment method token. Any other token, and none, pays at once.
 * - `pm_fail` declines every payment.
 * - `pm_fail_once` declines the first payment of a document and takes the next.
 * - `pm_lost_answer` takes the payment, but the push that took it ends as unknown: only a second push tells what happened.
 */
export const sandboxMethods = { fail: 'pm_fail', failOnce: 'pm_fail_once', lostAnswer: 'pm_lost_answer' } as const;

/** The payment that a method gives, after those that the document has already. */
export function decidePayment(paymentId: string, method: string | null, earlier: readonly SandboxPayment[]): SandboxPayment {
  const declined = method === sandboxMethods.fail || (method === sandboxMethods.failOnce && earlier.length === 0);
  return { paymentId, status: declined ? 'failed' : 'taken' };
}
