/** One thing wrong with a plan or price that has the right shape. */
export interface CatalogFault {
  /** RFC 6901 JSON pointer into the body. */
  readonly pointer: string;
  readonly code: CatalogFaultCode;
  /** A sentence that says how to mend it. */
  readonly detail: string;
}

export type CatalogFaultCode =
  | 'currency_mismatch'
  | 'duplicate_cell'
  | 'duplicate_currency'
  | 'duplicate_dimension'
  | 'duplicate_feature'
  | 'duplicate_group'
  | 'duplicate_key'
  | 'feature_without_meter'
  | 'invalid_decimal'
  | 'invalid_filter'
  | 'invalid_interval'
  | 'invalid_path'
  | 'invalid_range'
  | 'invalid_time'
  | 'meter_not_limitable'
  | 'meter_not_sum'
  | 'minimum_above_maximum'
  | 'missing_field'
  | 'negative_amount'
  | 'not_allowed'
  | 'not_supported'
  | 'number_out_of_range'
  | 'tier_not_open'
  | 'tier_open_too_early'
  | 'tiers_unsorted'
  | 'too_many_steps'
  | 'unknown_currency'
  | 'unknown_dimension'
  | 'unknown_group'
  | 'unknown_meter'
  | 'unknown_price';
