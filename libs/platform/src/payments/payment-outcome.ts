/** Why the provider, or we on its behalf, will not do it. Trying the same again changes nothing. */
export type PaymentRefusalCode =
  /** The amount is zero, negative, below the minimum, above the maximum or finer than the provider's step. */
  | 'amount_not_payable'
  /** The provider's total is not our amount due. Nothing was charged when the document is still a draft. */
  | 'amount_mismatch'
  /** The provider's document has lines that we never sent, or one of ours twice or with another amount. */
  | 'lines_differ'
  /** More than one document at the provider carries our id. */
  | 'duplicate_documents'
  /** The id at the provider that we stored belongs to another document. */
  | 'foreign_document'
  /** The provider no longer has the document or the party. */
  | 'not_found'
  /** So many newer objects at the provider that absence can't be proved by listing them. */
  | 'search_too_wide'
  /** The provider does not accept our credentials. */
  | 'credentials_refused'
  | 'payment_declined'
  /** The document's state does not allow it: paid documents are not voided, voided ones are not paid. */
  | 'state_forbids'
  /** Any other permanent no; the detail has the provider's words. */
  | 'request_refused';

export interface PaymentRefusal {
  readonly kind: 'refused';
  readonly code: PaymentRefusalCode;
  readonly detail: string;
}

/** The call may or may not have had its effect. Store it as unknown and run the same again: every run reads before it writes. */
export interface UnknownOutcome {
  readonly kind: 'unknown';
  readonly call: string;
  readonly detail: string;
  readonly retryAfterMs: number;
}

/** The call had no effect, and will be possible later. */
export interface RetryLater {
  readonly kind: 'retry_later';
  readonly call: string;
  readonly detail: string;
  readonly retryAfterMs: number;
}

export type PaymentFailure = PaymentRefusal | UnknownOutcome | RetryLater;

/** What a run learned about the provider's ids, also when it ended early. Store it: later runs then need no search. */
export interface KnownIds {
  readonly partyProviderId: string | null;
  readonly providerId: string | null;
}

export type ProviderStatus = 'draft' | 'open' | 'paid' | 'void' | 'uncollectible';

/** A document as the provider has it. Amounts are in our minor units. */
export interface ProviderInvoice {
  readonly providerId: string;
  readonly partyProviderId: string;
  /** Our id out of the metadata; null for a document that we did not make. */
  readonly documentId: string | null;
  readonly number: string | null;
  readonly status: ProviderStatus;
  readonly totalMinor: bigint;
  readonly amountDueMinor: bigint;
  readonly amountPaidMinor: bigint;
}

export interface ProviderLine {
  /** Our line id out of the metadata; null for a line that we did not make. */
  readonly lineId: string | null;
  readonly description: string | null;
  readonly amountMinor: bigint;
}

/** `failed` leaves the document open: it is owed, and a later payment may take it. */
export type PaymentState =
  | { readonly status: 'taken' }
  | { readonly status: 'pending' }
  | { readonly status: 'not_asked' }
  | { readonly status: 'failed'; readonly code: string; readonly detail: string };

export interface PushDone {
  readonly kind: 'done';
  readonly invoice: ProviderInvoice;
  readonly payment: PaymentState;
}

export type PushOutcome = PushDone | (PaymentFailure & { readonly known: KnownIds });
export type PayOutcome = PushDone | PaymentFailure;
/** `invoice` is null where the provider never had the document, or had only a draft, which is then deleted. */
export type CloseOutcome = { readonly kind: 'done'; readonly invoice: ProviderInvoice | null } | PaymentFailure;
export type FetchOutcome =
  | { readonly kind: 'found'; readonly invoice: ProviderInvoice; readonly lines: readonly ProviderLine[] }
  | { readonly kind: 'absent' }
  | PaymentFailure;

export function refusal(code: PaymentRefusalCode, detail: string): PaymentRefusal {
  return { kind: 'refused', code, detail };
}
