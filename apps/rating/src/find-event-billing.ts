import type { EntityManager } from 'typeorm';
import { billingPeriodContaining, contains, isOfPart, meterParts, type IdentifiedPrice, type Meter } from '#domain';
import {
  findClosedPeriodsAt, findMeters, readAttachments, readClosedRatings, readClosingDocuments, readLateProgress, readLateSettlements, readSubscribedPlans, readSubscriptions, readUsageBases, scheduleOf,
  type BasisKey, type CountedAs, type Database, type LineUsageReader, type SubscribedAddOn, type UsageBasis,
} from '#persistence';
import { accepted, assert, refused, type Outcome } from '#platform';
import { pricedParts } from './add-on-parts.js';
import { entriesOf, settledGenerations, type BilledEntry, type BillingStep, type PeriodDocuments } from './event-history.js';
import type { PeriodToRate } from './period-to-rate.js';
import type { RateClosedPeriods } from './rate-closed-periods.js';
import { questionOf } from './rate-on-basis.js';

export interface EventKey {
  readonly organizationId: string;
  readonly source: string;
  readonly id: string;
}

export type EventBillingCode = 'not_found';
type CountedEvent = NonNullable<Awaited<ReturnType<LineUsageReader['eventOf']>>>;

/** An event in the lines of one price of one period. */
export interface PriceBilling {
  readonly period: PeriodToRate;
  readonly price: IdentifiedPrice;
  /** Whose price it is; null for the plan's. */
  readonly addOn: SubscribedAddOn | null;
  readonly entries: readonly BilledEntry[];
}

export interface EventBilling {
  readonly event: Pick<CountedEvent, 'source' | 'id' | 'type' | 'subject' | 'time'>;
  readonly billings: readonly PriceBilling[];
}

/** A period that an event falls into, and what it was rated by. */
interface EventPeriod {
  readonly period: PeriodToRate;
  readonly steps: readonly BillingStep[];
  readonly documents: PeriodDocuments;
}

/** Tells which documents bear an event: how it counted at each cut of its period that a document was made by, and how it counts now. */
export class FindEventBilling {
  constructor(private readonly use: { readonly database: Database; readonly lineUsages: LineUsageReader; readonly rateClosed: RateClosedPeriods }) {}

  async execute({ organizationId, source, id }: EventKey): Promise<Outcome<EventBilling, EventBillingCode>> {
    const event = await this.use.lineUsages.eventOf(organizationId, { source, id });
    if (event === null) return refused('not_found', 'No event of this source and id was ever counted. The list of events says what became of its copies.');
    const { now, periods } = await this.use.database.inOrganization(organizationId, (manager) => this.load(manager, event));
    const at = Temporal.Instant.from(event.time);
    const billings: PriceBilling[] = [];
    for (const one of periods) {
      // An add-on has its events of the time that it was there.
      for (const { price, addOn } of pricedParts(one.period).filter(({ part, price: { type } }) => type === 'usage' && contains(part.billing.period, at))) {
        const steps = [];
        for (const { generation, basis } of one.steps) if (basis !== null) steps.push({ generation, counted: await this.counted(event, { ...one, price, basis }) });
        const entries = entriesOf({ price, steps, now: await this.counted(event, { ...one, price, basis: now }) }, one.documents);
        if (entries.length > 0) billings.push({ period: one.period, price, addOn, entries });
      }
    }
    return accepted({ event, billings });
  }

  /** Reads the rows of its instant only. */
  private async counted(event: CountedEvent, by: { period: PeriodToRate; price: IdentifiedPrice; basis: UsageBasis }): Promise<CountedAs | null> {
    const { period, price, basis } = by;
    const time = Temporal.Instant.from(event.time);
    const { meterId, exempt, groupBy } = questionOf(price, basis);
    if (!isAbout(basis.meters.find(({ id }) => id === meterId), { type: event.type, time })) return null;
    const after = time.add({ microseconds: 1 });
    const slice = { ref: 'event', customerId: period.subscription.customerId, from: time, to: after, ends: [after] };
    return this.use.lineUsages.countedAs({ organizationId: event.organizationId, meterId, exempt, groupBy, basis, slices: [slice] }, event);
  }

  /** The periods of all who had its subject at any time. An attachment is never taken away, so nobody is left out whose line it was in. */
  private async load(manager: EntityManager, event: CountedEvent): Promise<{ now: UsageBasis; periods: EventPeriod[] }> {
    const at = Temporal.Instant.from(event.time);
    const customerIds = [...new Set((await readAttachments(manager, { subjects: [event.subject] })).map(({ customerId }) => customerId))];
    const now = { cut: null, attachments: await readAttachments(manager, { customerIds }), meters: await findMeters(manager) };
    const subscriptions = customerIds.length === 0 ? [] : await readSubscriptions(manager, { customerIds });
    if (subscriptions.length === 0) return { now, periods: [] };
    const keys = await findClosedPeriodsAt(manager, { subscriptionIds: subscriptions.map(({ id }) => id), at });
    const closed = await readClosedRatings(manager, keys);
    const closedPeriods = closed.length === 0 ? [] : await this.use.rateClosed.withTerms(manager, closed);
    const isClosed = new Set(closed.map(({ subscriptionId }) => subscriptionId));
    const plans = await readSubscribedPlans(manager, subscriptions);
    const open = subscriptions.filter(({ id }) => !isClosed.has(id)).flatMap((subscription): PeriodToRate[] => {
      const stages = plans.get(subscription.id) ?? [];
      const [first] = stages;
      assert(first !== undefined, 'A subscription has a plan.');
      const schedule = scheduleOf({ subscription, plan: first });
      const billing = billingPeriodContaining(schedule, at);
      const plan = billing === null ? undefined : stages[billing.stage];
      return billing === null || plan === undefined ? [] : [{ subscription, plan, billing, schedule, stages }];
    });
    return { now, periods: await this.withDocuments(manager, { periods: [...closedPeriods, ...open], generations: new Map(closed.map((one) => [textOf(one), one.generation])) }) };
  }

  private async withDocuments(manager: EntityManager, of: { periods: readonly PeriodToRate[]; generations: ReadonlyMap<string, bigint> }): Promise<EventPeriod[]> {
    const keys = of.periods.map(({ subscription, billing }) => ({ subscriptionId: subscription.id, periodIndex: billing.number }));
    const closing = new Map((await readClosingDocuments(manager, keys)).map((document) => [textOf(document), document]));
    const settlements = Map.groupBy(await readLateSettlements(manager, keys), textOf);
    const progress = new Map((await readLateProgress(manager, keys)).map((one) => [textOf(one), one]));
    const wanted = keys.map((key): BasisKey[] => {
      const last = of.generations.get(textOf(key));
      if (last === undefined) return [];
      const late = settledGenerations(settlements.get(textOf(key)) ?? [], progress.get(textOf(key)) ?? null);
      return [{ ...key, isLate: false, generation: last }, ...late.map((generation) => ({ ...key, isLate: true, generation }))];
    });
    const bases = new Map((await readUsageBases(manager, wanted.flat())).map((kept) => [basisText(kept), kept.basis]));
    return of.periods.map((period, place) => {
      const name = textOf(keys[place] as BasisKey);
      return {
        period,
        steps: (wanted[place] ?? []).map((key) => ({ generation: key.isLate ? key.generation : null, basis: bases.get(basisText(key)) ?? null })),
        documents: { closing: closing.get(name) ?? null, settlements: settlements.get(name) ?? [] },
      };
    });
  }
}

/** Whether any version of a meter may count the event. */
function isAbout(meter: Meter | undefined, event: { readonly type: string; readonly time: Temporal.Instant }): boolean {
  return meter !== undefined && meterParts(meter).some((part) => isOfPart(part, event));
}

function textOf({ subscriptionId, periodIndex }: { readonly subscriptionId: string; readonly periodIndex: number }): string {
  return `${subscriptionId}/${periodIndex}`;
}

function basisText(key: BasisKey): string {
  return `${textOf(key)}/${key.isLate ? 'late' : 'last'}/${key.generation}`;
}
