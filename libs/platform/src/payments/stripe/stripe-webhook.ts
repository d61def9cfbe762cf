import Stripe from 'stripe';

import type { Clock } from '../../clock/clock.js';
import type { WebhookEvent, WebhookRequest, WebhookVerdict } from '../webhook.js';

import { metadataKeys } from './metadata-keys.js';

const types: Readonly<Record<string, WebhookEvent['type']>> = {
  'invoice.finalized': 'finalized',
  'invoice.paid': 'paid',
  'invoice.payment_succeeded': 'paid',
  'invoice.payment_failed': 'payment_failed',
  'invoice.voided': 'voided',
  'invoice.marked_uncollectible': 'marked_uncollectible',
};
/** Stripe signs anew each time it tries to deliver, so an older signature is a copy. */
const toleranceSeconds = 300;

export interface StripeWebhookOptions {
  /** More than one while a secret is being rotated. */
  readonly secrets: readonly string[];
  readonly clock: Clock;
}

export function parseStripeWebhook(request: WebhookRequest, options: StripeWebhookOptions): WebhookVerdict {
  const signature = request.headers['stripe-signature'];
  if (typeof signature !== 'string') return { kind: 'refused', code: 'signature_invalid', detail: 'There is no Stripe-Signature.' };
  for (const secret of options.secrets) {
    try {
      const receivedAtMs = options.clock.now().epochMilliseconds;
      return sort(Stripe.webhooks.constructEvent(request.rawBody, signature, secret, toleranceSeconds, undefined, receivedAtMs));
    } catch (error) {
      if (error instanceof SyntaxError) return { kind: 'refused', code: 'body_unreadable', detail: 'The signed body is not JSON.' };
      if (!(error instanceof Stripe.errors.StripeSignatureVerificationError)) throw error;
    }
  }
  return { kind: 'refused', code: 'signature_invalid', detail: 'The signature is not ours, or too old.' };
}

function sort(event: Stripe.Event): WebhookVerdict {
  const type = types[event.type];
  const about = event.data.object;
  if (type === undefined || !('object' in about) || about.object !== 'invoice') return { kind: 'ignored', id: event.id, type: event.type };
  const documentId = about.metadata?.[metadataKeys.document] ?? null;
  const createdAt = Temporal.Instant.fromEpochMilliseconds(event.created * 1000);
  return { kind: 'event', event: { id: event.id, type, providerId: about.id, documentId, createdAt } };
}
