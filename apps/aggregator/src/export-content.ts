/** What an exported file holds, whatever its kind. */
export interface ExportColumn {
  readonly name: string;
  /** A text that somebody else chose, one of ours (an id, a state, a date), an instant as RFC 3339, or a decimal's digits. */
  readonly kind: 'text' | 'code' | 'instant' | 'decimal';
}

/** Rows, each with a cell for each column. */
export type ExportPage = readonly (readonly (string | null)[])[];

export interface ExportRows {
  readonly columns: readonly ExportColumn[];
  /** Every event acknowledged before this instant is in the rows; of invoices, every one that was issued before it in system time. */
  readonly freshAsOf: Temporal.Instant;
  /** Throws `UsageRefused` where a part of the usage can't be told. */
  readonly pages: AsyncIterable<ExportPage>;
}
