/** A span of time, half-open: `start` belongs to it, `end` does not. */
export interface DocumentPeriod {
  readonly start: Temporal.Instant;
  readonly end: Temporal.Instant;
}

/** One amount of a document. It may be negative (a discount, applied credits) or zero (usage that costs nothing). */
export interface DocumentLine {
  /** Our id of the line, unique within its document; the provider keeps it as metadata. */
  readonly id: string;
  readonly description: string;
  /** In units of 10^-minorDigits of the document's currency. */
  readonly amountMinor: bigint;
  readonly period: DocumentPeriod | null;
}

/** Who pays. */
export interface Party {
  /** Our id; the provider keeps it as metadata, and keys of repeated calls are made of it. */
  readonly id: string;
  readonly name: string;
  readonly email: string | null;
  /** The provider's id, once an outcome has told it. Storing it saves the search and makes a renamed mailbox harmless. */
  readonly providerId: string | null;
  /** What to charge, as a token of the provider; null leaves the choice to the provider's default for the party. */
  readonly paymentMethod: string | null;
  /**
   * When a push for the party was first begun, by system time; null where none ever was. It bounds the search for a party that the provider
   * may know although its answer was lost, so it must be stored before that push begins.
   */
  readonly firstPushAt: Temporal.Instant | null;
}

/** `automatic` takes the payment at once from the party's payment method; `send_invoice` leaves it to the party until the due day. */
export type Collection = { readonly kind: 'automatic' } | { readonly kind: 'send_invoice'; readonly daysUntilDue: number };

/** What a document is found by at the provider. */
export interface DocumentRef {
  /** Our id, unique for ever. */
  readonly id: string;
  readonly party: Party;
  /** ISO 4217 in capitals. */
  readonly currency: string;
  /** How many digits after the point our amounts of this currency have: 2 for USD, 0 for JPY, 3 for BHD. */
  readonly minorDigits: number;
  /** The provider's id, once an outcome has told it. */
  readonly providerId: string | null;
}

/** An issued document, frozen: two pushes of one id always carry the same lines and the same amount. */
export interface InvoiceDocument extends DocumentRef {
  readonly number: string;
  readonly collection: Collection;
  /** In the order in which they are shown; discount, taxes and applied credits last. */
  readonly lines: readonly DocumentLine[];
  /** What is owed: exactly the sum of the lines. */
  readonly amountDueMinor: bigint;
  /** More of our ids to keep beside the document, for people who look it up at the provider. */
  readonly metadata: Readonly<Record<string, string>>;
}
