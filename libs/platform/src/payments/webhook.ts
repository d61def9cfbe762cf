/** Something happened to a document at the provider. It says that, and nothing about now: on doubt, fetch the document. */
export interface WebhookEvent {
  /** The provider's id of the event: the same event may come more than once, and in any order. */
  readonly id: string;
  readonly type: 'finalized' | 'paid' | 'payment_failed' | 'voided' | 'marked_uncollectible';
  readonly providerId: string;
  /** Our id of the document; null for one that we did not make. */
  readonly documentId: string | null;
  readonly createdAt: Temporal.Instant;
}

export interface WebhookRequest {
  /** The bytes as they came: the signature is over them, not over their meaning. */
  readonly rawBody: string | Uint8Array;
  /** Header names in lower case, as Node gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export type WebhookVerdict =
  | { readonly kind: 'event'; readonly event: WebhookEvent }
  /** Genuine, but of a type that says nothing to us. */
  | { readonly kind: 'ignored'; readonly id: string; readonly type: string }
  | { readonly kind: 'refused'; readonly code: 'signature_invalid' | 'body_unreadable' | 'not_supported'; readonly detail: string };
