/** Which period of which subscription a fact of the rating is about. */
export interface RatedPeriodFact {
  readonly v: 1;
  readonly organization: string;
  readonly subscription: string;
  readonly customer: string;
  readonly plan: string;
  readonly plan_version: number;
  /** Counts the subscription's periods, one after the other. */
  readonly period_index: number;
  /** RFC 3339, as all instants of facts; from inclusive, to exclusive. */
  readonly period: { readonly from: string; readonly to: string };
}
