import type { EntityManager } from 'typeorm';
import type { BacktestedPlan, BacktestRequest } from '#contracts';
import { canonicalPrices, lateUsageDefault, planFaults } from '#domain';
import { draftAsVersion, findByIdOrKey, planTable, readPlanDraft, readPlanVersion, resolveEntitlements, resolveMeteredPrices, type Plan, type SubscribedPlan } from '#persistence';
import { accepted, refused, type Outcome } from '#platform';

interface NamedPlan {
  readonly organizationId: string;
  /** The id or key of a stored plan, or a plan. */
  readonly plan: BacktestRequest['plan'];
  readonly version: number | 'draft' | undefined;
  /** Of the object that they stand in. */
  readonly pointer: string;
}

/** A stored plan, its draft, or a plan that is only tried out, as a subscription would have it. */
export async function findPricedPlan(manager: EntityManager, named: NamedPlan): Promise<Outcome<SubscribedPlan, 'invalid_request'>> {
  const { plan: given, version, pointer } = named;
  if (typeof given === 'string') return storedPlan(manager, { reference: given, version, pointer });
  // Checked by the contract's schema, which keeps it as it was sent.
  const draft = given as BacktestedPlan;
  const plan = { ...draft, key: draft.key ?? 'draft', name: draft.name ?? 'Draft' };
  const metered = await resolveMeteredPrices(manager, plan.prices, `${pointer}/plan/prices`);
  const granted = await resolveEntitlements(manager, plan.entitlements ?? [], { pointer: `${pointer}/plan/entitlements` });
  const { product: _product, metadata: _metadata, ...terms } = plan;
  const faults = [...planFaults({ ...terms, prices: [...plan.prices] }).map((fault) => ({ ...fault, pointer: `${pointer}/plan${fault.pointer}` })), ...metered.faults, ...granted.faults];
  if (version !== undefined) faults.push({ pointer: `${pointer}/version`, code: 'not_allowed', detail: 'Only a stored plan has versions; leave this out.' });
  if (faults.length > 0) return refused('invalid_request', 'The plan has faults.', faults);
  return accepted({
    planId: 'plan_draft', planKey: plan.key, planName: plan.name, productId: null, version: 0, organizationId: named.organizationId, currency: plan.currency, billingPeriod: plan.billing_period,
    trialDays: 0, entitlements: granted.entitlements, lateUsage: lateUsageDefault, createdAt: Temporal.Instant.fromEpochMilliseconds(0),
    prices: canonicalPrices(metered.prices).map((price) => ({ ...price, id: price.key })), addOns: [],
  });
}

async function storedPlan(manager: EntityManager, wanted: { reference: string; version: number | 'draft' | undefined; pointer: string }): Promise<Outcome<SubscribedPlan, 'invalid_request'>> {
  const { pointer } = wanted;
  const plan = await findByIdOrKey<Plan>(manager, planTable, wanted.reference);
  if (plan === null) return refused('invalid_request', 'There is no such plan.', [{ pointer: `${pointer}/plan`, code: 'unknown_plan', detail: 'There is no such plan.' }]);
  if (wanted.version === 'draft') {
    const draft = await readPlanDraft(manager, plan.id);
    if (draft !== null) return accepted({ ...draftAsVersion(draft), planKey: plan.key, planName: plan.name, productId: plan.productId, addOns: [] });
    return refused('invalid_request', 'There is no draft.', [{ pointer: `${pointer}/version`, code: 'unknown_version', detail: 'The plan has no draft.' }]);
  }
  const version = await readPlanVersion(manager, { planId: plan.id, version: wanted.version ?? plan.latestVersion });
  const detail = plan.latestVersion === 0 ? 'Nothing of the plan is published; give "draft".' : 'The plan has no such version.';
  if (version === null) return refused('invalid_request', 'There is no such version.', [{ pointer: `${pointer}/version`, code: 'unknown_version', detail }]);
  return accepted({ ...version, addOns: [] });
}
