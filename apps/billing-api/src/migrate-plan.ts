import type { EntityManager } from 'typeorm';
import { invoicingQueue, sweepJob } from '#contracts';
import { later, subscriptionStatusAfter } from '#domain';
import {
  findByIdOrKey, holdBilling, lockSubscriptionsOnPlan, planTable, readBilledUntil, readPlanVersion, saveSubscriptionChanges, type Plan, type MeterResource, type PlanVersionOfPlan, type SubscriptionRecord,
} from '#persistence';
import { accepted, refused, type JobQueue, type Outcome } from '#platform';
import { fitFaults, liftedAddOns, presentAddOns } from './fit-add-ons.js';
import { readMetersOf, subscribedPriceFaults } from './subscribed-price-faults.js';
import { statusOf, withStages } from './subscription-schedule.js';
import type { Surroundings } from './surroundings.js';
import { hasPhasesAhead, presentTerms, withChange } from './with-change.js';

export type MigrateRefusal = 'not_found' | 'invalid_request';

export interface MigrateInput {
  readonly toVersion: number;
  /** Now, or for each subscription where its first period ends at or after the instant; `period_end` is the present one's end. */
  readonly when: 'now' | 'period_end' | Temporal.Instant;
  readonly isProrated: boolean;
  /** Only counts what would be changed. */
  readonly isPreview: boolean;
}

export interface SkippedSubscription {
  readonly subscriptionId: string;
  readonly detail: string;
}

export interface PlanMigration {
  readonly planId: string;
  readonly migrated: number;
  /** Were to be on the version already. */
  readonly unchanged: number;
  readonly skippedCount: number;
  /** The first hundred. */
  readonly skipped: readonly SkippedSubscription[];
}

const subscriptionsPerBlock = 500;
const skippedShownMax = 100;

/**
 * Puts every subscription on a plan onto a version of it, block by block. What of it was done stays done: called again, it
 * goes on with the rest, since those that are there already are left as they are.
 */
export class MigratePlan {
  constructor(
    private readonly surroundings: Surroundings,
    private readonly jobs: JobQueue,
  ) {}

  async execute(organizationId: string, at: { reference: string; input: MigrateInput }): Promise<Outcome<PlanMigration, MigrateRefusal>> {
    const { database, businessClock } = this.surroundings;
    const now = await businessClock.now(organizationId);
    const found = await database.inOrganization(organizationId, async (manager) => findVersion(manager, at));
    if (!found.ok) return found;
    const version = found.value;
    const total = { planId: version.planId, migrated: 0, unchanged: 0, skippedCount: 0, skipped: [] as SkippedSubscription[] };
    for (let afterId: string | null = null; ; ) {
      const block: MigratedBlock = await database.inOrganization(organizationId, async (manager) => migrateBlock(manager, { version, input: at.input, now, afterId }));
      total.migrated += block.migrated;
      total.unchanged += block.unchanged;
      total.skippedCount += block.skipped.length;
      total.skipped.push(...block.skipped.slice(0, skippedShownMax - total.skipped.length));
      if (block.lastId === null) break;
      afterId = block.lastId;
    }
    if (total.migrated > 0 && !at.input.isPreview) await this.jobs.add(invoicingQueue, [sweepJob]);
    return accepted(total);
  }
}

async function findVersion(manager: EntityManager, at: { reference: string; input: MigrateInput }): Promise<Outcome<PlanVersionOfPlan, MigrateRefusal>> {
  const plan = await findByIdOrKey<Plan>(manager, planTable, at.reference);
  if (plan === null) return refused('not_found', 'There is no such plan.');
  const version = await readPlanVersion(manager, { planId: plan.id, version: at.input.toVersion });
  if (version !== null) return accepted(version);
  return refused('invalid_request', 'The plan has no such version.', [{ pointer: '/to_version', code: 'unknown_version', detail: 'The plan has no such version.' }]);
}

interface MigratedBlock {
  readonly migrated: number;
  readonly unchanged: number;
  readonly skipped: readonly SkippedSubscription[];
  /** Where the next block begins; null after the last. */
  readonly lastId: string | null;
}

async function migrateBlock(manager: EntityManager, at: { version: PlanVersionOfPlan; input: MigrateInput; now: Temporal.Instant; afterId: string | null }): Promise<MigratedBlock> {
  const { version, input } = at;
  const locked = await lockSubscriptionsOnPlan(manager, { planId: version.planId, afterId: at.afterId, limit: subscriptionsPerBlock });
  await holdBilling(manager, locked.map(({ id }) => id));
  const termed = await withStages(manager, locked.map((subscription) => ({ subscription })));
  const billedUntil = await readBilledUntil(manager, termed);
  const views = termed.map((one) => ({ ...one, now: later(at.now, billedUntil.get(one.subscription.id) ?? at.now) }));
  const meters = await readMetersOf(manager, version, views.flatMap((view) => presentTerms(view).overrides));
  const changed: SubscriptionRecord[] = [];
  const skipped: SkippedSubscription[] = [];
  let unchanged = 0;
  for (const view of views) {
    const { subscription, now } = view;
    const present = presentTerms(view);
    // Ended, or on another plan by now.
    if (subscriptionStatusAfter(statusOf(subscription, now), 'cancel') === null || present.planId !== version.planId) continue;
    const misfit = misfitOf(view, version);
    const detail = misfit !== null ? misfit : hasPhasesAhead(view) ? 'It has phases ahead, which a migration would end; change it by itself.' : obstacle(present, { version, meters, subscription });
    if (detail !== null) {
      skipped.push({ subscriptionId: subscription.id, detail });
      continue;
    }
    const next = present.planVersion === version.version ? subscription : withChange(view, { plan: version, terms: present, isProrated: input.isProrated, when: input.when === 'period_end' ? now : input.when });
    if (next === subscription) unchanged += 1;
    else changed.push({ ...next, addOns: liftedAddOns({ subscription: next, now }) });
  }
  if (!input.isPreview) await saveSubscriptionChanges(manager, changed);
  return { migrated: changed.length, unchanged, skipped, lastId: locked.length < subscriptionsPerBlock ? null : (locked.at(-1)?.id ?? null) };
}

/** Which of its add-ons does not fit the version: a migration of many ends none of them unasked. */
function misfitOf(view: Parameters<typeof presentAddOns>[0], version: PlanVersionOfPlan): string | null {
  const plan = { ...version, addOns: [] };
  for (const { version: addOn } of presentAddOns(view)) {
    const [fault] = fitFaults(addOn, { plan, currency: view.subscription.currency });
    if (fault !== undefined) return `Its add-on ${addOn.addOnKey} does not fit: ${fault.detail}`;
  }
  return null;
}

/** Why a subscription can't be on the version: its currency, or terms of its own that the version has no price for. */
function obstacle(terms: ReturnType<typeof presentTerms>, on: { version: PlanVersionOfPlan; meters: readonly MeterResource[]; subscription: SubscriptionRecord }): string | null {
  const [fault] = subscribedPriceFaults({ ...on, terms, currency: on.subscription.currency, payer: 'the subscription' });
  return fault === undefined ? null : `${fault.pointer}: ${fault.detail}`;
}
