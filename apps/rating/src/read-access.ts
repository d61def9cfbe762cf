import { accessGroup, type AccessQuery } from '#contracts';
import { canonicalDecimal, decideAccess, decimal, mostGenerous, toPlain, type Access, type MeasuredGrant } from '#domain';
import { readMeasuredFeatures, testClockLeaseMs, type Customer, type Database, type MeasuredFeature } from '#persistence';
import { accepted, assert, refused, type Clock, type InputFault, type Outcome } from '#platform';
import { grantsOfFeature, readCustomerGrants, type CustomerGrants, type Grant } from './customer-grants.js';
import type { AccessQuestion, AccessSnapshot, SnapshotOutcome } from './access-snapshot.js';
import { AccessSnapshots, snapshotHoldMs } from './access-snapshots.js';
import { measureGrants, type MeasuredGrants } from './measure-grants.js';
import { marginalOf, type AskedUse, type MarginalAmount, type ReadMarginalBasis } from './read-marginal-amount.js';
import { SubscriptionStamps } from './subscription-stamps.js';
import type { UsageSlices } from './usage-slices.js';

export type AccessRefusal = 'not_found' | 'invalid_request';

/** An entitlement of a customer with what is left of it. */
export interface GrantView {
  readonly grant: Grant;
  readonly measured: MeasuredGrant;
}

export interface EntitlementsView {
  readonly customer: Customer;
  /** Each feature once, in the order of their keys. */
  readonly grants: readonly GrantView[];
  readonly freshAsOf: Temporal.Instant | null;
}

export interface AccessView {
  readonly customer: Customer;
  readonly feature: MeasuredFeature;
  readonly quantity: string;
  readonly access: Access;
  /** The grant that answers. */
  readonly grant: Grant | null;
  readonly marginal: MarginalAmount;
  readonly freshAsOf: Temporal.Instant | null;
}

export type AccessOutcome = Outcome<AccessView, AccessRefusal>;

/** Answers kept of one snapshot: gateways ask about few quantities. */
const answersMax = 16;
const notMeasured: MeasuredGrants = { measured: [], freshAsOf: null };

/** Answers what a customer may use: all of it from the stores, and one feature from what they said a moment ago. */
export class ReadAccess {
  private readonly snapshots: AccessSnapshots;
  private readonly answers = new WeakMap<AccessSnapshot, Map<string, AccessOutcome>>();

  constructor(private readonly use: { readonly database: Database; readonly usage: UsageSlices; readonly clock: Clock; readonly readMarginal: ReadMarginalBasis; readonly holdMs?: number; readonly elapsedMs?: () => number }) {
    const { database, holdMs = snapshotHoldMs, elapsedMs = () => performance.now() } = use;
    const stamps = new SubscriptionStamps({ database, holdMs: Math.min(holdMs, testClockLeaseMs), elapsedMs });
    this.snapshots = new AccessSnapshots({ load: (organizationId, questions) => this.load(organizationId, questions), stamps, holdMs, elapsedMs });
  }

  async entitlements({ organizationId, customer }: { organizationId: string; customer: string }): Promise<Outcome<EntitlementsView, AccessRefusal>> {
    const found = (await this.use.database.inOrganization(organizationId, (manager) =>
      readCustomerGrants(manager, { organizationId, customers: [customer], systemNow: this.use.clock.now() }))).get(customer);
    if (found === undefined) return refused('not_found', 'There is no such customer.');
    const [{ measured, freshAsOf } = notMeasured] = await measureGrants([found], { organizationId, usage: this.use.usage });
    const grants = mostGenerous(measured).map((one) => ({ measured: one, grant: grantOf(one, { found, measured }) }));
    return accepted({ customer: found.customer, grants, freshAsOf });
  }

  async access(question: AccessQuestion, query: AccessQuery): Promise<AccessOutcome> {
    const holding = this.snapshots.holding(question);
    const answer = holding === null ? null : this.answer(holding, query);
    // Nobody is refused by what was so a moment ago: an upgrade is in the very next answer.
    if (answer !== null && (!answer.ok || answer.value.access.isAllowed)) return answer;
    const snapshot = await this.snapshots.read(question);
    return snapshot.ok ? this.answer(snapshot.value, query) : snapshot;
  }

  /** The same object for the same question, while the snapshot is the same. */
  private answer(snapshot: AccessSnapshot, query: AccessQuery): AccessOutcome {
    const asked = JSON.stringify(query);
    const known = this.answers.get(snapshot) ?? new Map<string, AccessOutcome>();
    const answer = known.get(asked) ?? answerOf(snapshot, query);
    if (known.size < answersMax) this.answers.set(snapshot, known.set(asked, answer));
    return answer;
  }

  private async load(organizationId: string, questions: readonly AccessQuestion[]): Promise<SnapshotOutcome[]> {
    const { found, features } = await this.use.database.inOrganization(organizationId, async (manager) => ({
      features: await readMeasuredFeatures(manager, [...new Set(questions.map(({ feature }) => feature))]),
      found: await readCustomerGrants(manager, { organizationId, customers: questions.map(({ customer }) => customer), systemNow: this.use.clock.now() }),
    }));
    const named = new Map(features.flatMap((feature) => [[feature.id, feature], [feature.key, feature]] as const));
    const asked = questions.flatMap(({ customer, feature: reference }) => {
      const [of, feature] = [found.get(customer), named.get(reference)];
      return of === undefined || feature === undefined ? [] : [{ found: grantsOfFeature(of, feature), feature }];
    });
    const [measured, marginal] = await Promise.all([measureGrants(asked.map((one) => one.found), { organizationId, usage: this.use.usage }), this.use.readMarginal.execute(organizationId, asked)]);
    let nth = 0;
    return questions.map(({ customer, feature }): SnapshotOutcome => {
      if (!found.has(customer)) return refused('not_found', 'There is no such customer.');
      if (!named.has(feature)) return refused('not_found', 'There is no such feature.');
      const snapshot = { ...asked[nth], ...measured[nth], marginal: marginal[nth] } as AccessSnapshot;
      nth += 1;
      return accepted(snapshot);
    });
  }
}

function answerOf(snapshot: AccessSnapshot, query: AccessQuery): AccessOutcome {
  const { feature, found, measured, freshAsOf } = snapshot;
  const faults = groupFaults(query, feature);
  if (faults.length > 0) return refused('invalid_request', 'The question can not be answered.', faults);
  const use = askedUse(query);
  const access = decideAccess(measured, { quantity: use.quantity, hasOnlyInactive: found.hasOnlyInactive });
  return accepted({
    customer: found.customer, feature, quantity: toPlain(use.quantity), access, marginal: marginalOf(snapshot.marginal, use), freshAsOf,
    grant: access.grant === null ? null : grantOf(access.grant, { found, measured }),
  });
}

function grantOf(wanted: MeasuredGrant, from: { found: CustomerGrants; measured: readonly MeasuredGrant[] }): Grant {
  const grant = from.found.grants[from.measured.indexOf(wanted)];
  assert(grant !== undefined, 'Each grant is measured once.');
  return grant;
}

function askedUse(query: AccessQuery): AskedUse {
  const quantity = canonicalDecimal(query.quantity ?? '1');
  assert(quantity !== null, 'The schema of the query lets decimals through alone.');
  return { quantity: decimal(quantity), group: Object.fromEntries(Object.entries(accessGroup(query)).map(([dimension, [text = '']]) => [dimension, text])) };
}

function groupFaults(query: AccessQuery, { meter, key }: MeasuredFeature): InputFault[] {
  const dimensions = Object.keys(meter?.groupBy ?? {});
  const known = dimensions.length === 0 ? 'It has none.' : `Use ${dimensions.join(', ')}.`;
  return Object.entries(accessGroup(query)).flatMap(([dimension, texts]): InputFault[] => {
    const pointer = `/group[${dimension.replaceAll('~', '~0').replaceAll('/', '~1')}]`;
    if (!dimensions.includes(dimension)) return [{ pointer, code: 'unknown_dimension', detail: `What measures the feature "${key}" has no dimension "${dimension}". ${known}` }];
    return texts.length === 1 ? [] : [{ pointer, code: 'not_allowed', detail: 'What is used lies in one group; give one value.' }];
  });
}
