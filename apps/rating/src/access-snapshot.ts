import type { MeasuredFeature } from '#persistence';
import type { Outcome } from '#platform';
import type { CustomerGrants } from './customer-grants.js';
import type { MeasuredGrants } from './measure-grants.js';
import type { MarginalBasis } from './read-marginal-amount.js';

/** What is asked about: one feature of one customer, each by id or key. */
export interface AccessQuestion {
  readonly organizationId: string;
  readonly customer: string;
  readonly feature: string;
}

/** All that the answers to one question follow from, whatever quantity they are about, as the stores had it at one time. */
export interface AccessSnapshot extends MeasuredGrants {
  readonly feature: MeasuredFeature;
  readonly found: CustomerGrants;
  readonly marginal: MarginalBasis;
}

export type SnapshotOutcome = Outcome<AccessSnapshot, 'not_found'>;
