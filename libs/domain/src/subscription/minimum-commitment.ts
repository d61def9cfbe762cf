import { z } from 'zod';
import type { CatalogFault } from '../catalog/catalog-fault.js';
import { decimalFaults } from '../catalog/decimal-faults.js';
import { decimalTextSchema } from '../catalog/model.js';
import { isLongerThanYear } from '../period/interval.js';

export const commitmentSpans = ['billing_period', 'year'] as const;

/** What a subscription's prices shall come to at least, as it is sent. */
export const minimumCommitmentSchema = z.strictObject({
  amount: decimalTextSchema.meta({ description: 'Major units of the subscription\u2019s currency, above 0.' }),
  per: z.enum(commitmentSpans).optional().meta({ default: 'billing_period', description: 'A year begins where the commitment does.' }),
});

export interface MinimumCommitment {
  /** Major units, above 0. */
  readonly amount: string;
  readonly per: (typeof commitmentSpans)[number];
}

/** What is wrong with a commitment of the right shape, of a subscription that is billed at this interval. */
export function minimumCommitmentFaults(commitment: MinimumCommitment | null, billingPeriod: string): CatalogFault[] {
  if (commitment === null) return [];
  const faults = decimalFaults({ text: commitment.amount, pointer: '/minimum_commitment/amount', kind: 'amount', aboveZero: true });
  if (commitment.per === 'billing_period' || !isLongerThanYear(billingPeriod)) return faults;
  const detail = `The plan is billed every ${billingPeriod}, which is longer than a year; commit to an amount per "billing_period".`;
  return [...faults, { pointer: '/minimum_commitment/per', code: 'not_allowed', detail }];
}

export function areSameCommitments(a: MinimumCommitment | null, b: MinimumCommitment | null): boolean {
  return a?.amount === b?.amount && a?.per === b?.per;
}
