import type { z } from 'zod';
import { canonicalDecimal, canonicalPrices, type minimumCommitmentSchema, type PriceOverride, type SubscribedTerms } from '#domain';
import type { PhaseInput } from '../phases.js';

interface TermsBody {
  readonly quantities?: Readonly<Record<string, string | number>> | undefined;
  readonly overrides?: readonly PriceOverride[] | undefined;
  readonly minimum_commitment?: z.infer<typeof minimumCommitmentSchema> | null | undefined;
}

/** Decimals in their one form; text that is none stays as it is, to be refused by name. Null where the body says nothing of them. */
export function quantitiesOrNull({ quantities }: TermsBody): SubscribedTerms['quantities'] | null {
  if (quantities === undefined) return null;
  return Object.fromEntries(Object.entries(quantities).map(([key, value]) => [key, canonicalDecimal(String(value)) ?? String(value)]));
}

export function overridesOrNull({ overrides }: TermsBody): SubscribedTerms['overrides'] | null {
  return overrides === undefined ? null : canonicalPrices(overrides);
}

interface PhaseBody extends TermsBody {
  readonly periods: number;
  readonly plan?: string | undefined;
  readonly version?: number | undefined;
}

/** Null where the body says nothing of them. */
export function phasesOrNull({ phases }: { readonly phases?: readonly PhaseBody[] | undefined }): PhaseInput[] | null {
  if (phases === undefined) return null;
  return phases.map((phase) => ({
    periods: phase.periods, plan: phase.plan ?? null, version: phase.version ?? null, quantities: quantitiesOrNull(phase), overrides: overridesOrNull(phase), minimumCommitment: commitmentOrUndefined(phase),
  }));
}

/** Null is none; undefined where the body says nothing of it. */
export function commitmentOrUndefined({ minimum_commitment: given }: TermsBody): SubscribedTerms['minimumCommitment'] | undefined {
  if (given === undefined || given === null) return given;
  return { amount: canonicalDecimal(given.amount) ?? given.amount, per: given.per ?? 'billing_period' };
}
