import { boundaryFees, later, nextBoundary, previewInvoice, type Boundary, type InvoiceLine, type PayableAmounts, type PreviewedInvoice } from '#domain';
import { findOrganization, readCarriedAmounts, readCustomer, readDraftedPeriods, readRatedPeriods, readSubscriptions, scheduleOf, type SubscribedAddOn, type SubscriptionRecord } from '#persistence';
import { accepted, assert, refused, type Outcome } from '#platform';
import type { EntityManager } from 'typeorm';
import type { AwaitRatings } from './await-ratings.js';
import { CommitmentBook, trueUpLines } from './commitment-book.js';
import type { InvoicingContext } from './invoicing-context.js';
import { adjustmentLines, readOwedLateUsage, takeOwed } from './owed-late-usage.js';
import type { PaymentProviders } from './payment-providers.js';
import { ratedUsageLines, unusedUsageLines } from './rated-usage-lines.js';
import { feeTermsOf, withPlans, type BilledSubscription } from './subscription-terms.js';

export type UpcomingCode = 'not_found' | 'no_upcoming_invoice';

export interface UpcomingInvoice {
  readonly subscription: SubscriptionRecord;
  readonly preview: PreviewedInvoice;
  /** When it will be made. */
  readonly closesAt: Temporal.Instant;
  readonly addOns: readonly SubscribedAddOn[];
}

/** A search for a boundary's index starts at the subscription's start. */
const boundariesMax = 10_000;

interface NextBilling {
  readonly one: BilledSubscription;
  readonly boundary: Boundary;
}

interface UpcomingQuery {
  readonly organizationId: string;
  readonly customer: string;
  readonly subscriptionId: string | undefined;
}

/** What a customer's next invoice would be, were the period over now: all usage that is counted, and the fees of its boundary. */
export class PreviewUpcomingInvoice {
  constructor(
    private readonly use: {
      readonly context: InvoicingContext;
      readonly providers: PaymentProviders;
      readonly awaitRatings: AwaitRatings;
      readonly businessNow: (organizationId: string) => Promise<Temporal.Instant>;
    },
  ) {}

  async execute(wanted: UpcomingQuery): Promise<Outcome<UpcomingInvoice, UpcomingCode>> {
    const { organizationId } = wanted;
    const now = await this.use.businessNow(organizationId);
    const next = await this.findNext(wanted, now);
    if (!next.ok) return next;
    const { one, boundary } = next.value;
    await this.use.awaitRatings.execute({ organizationId, subscriptionIds: [one.subscription.id], now });
    return this.use.context.database.inOrganization(organizationId, async (manager) => {
      const limitsOf = await this.use.providers.limitsWithin(manager, organizationId);
      const preview = await this.preview(manager, { organizationId, ...next.value, limitsOf });
      if (preview === null) return refused('no_upcoming_invoice', 'The next boundary bills nothing.');
      return accepted({ subscription: one.subscription, preview, closesAt: boundary.at, addOns: one.plan.addOns });
    });
  }

  private async findNext(wanted: UpcomingQuery, now: Temporal.Instant): Promise<Outcome<NextBilling, UpcomingCode>> {
    return this.use.context.database.inOrganization(wanted.organizationId, async (manager) => {
      const customer = await readCustomer(manager, wanted.customer);
      if (customer === null) return refused('not_found', 'There is no such customer.');
      const subscriptions = await readSubscriptions(manager, { customerIds: [customer.id], ...(wanted.subscriptionId === undefined ? {} : { ids: [wanted.subscriptionId] }) });
      const next = [...(await withPlans(manager, subscriptions)).values()].flatMap((one) => {
        const boundary = boundaryAfter(one, now);
        return boundary === null ? [] : [{ one, boundary }];
      });
      const first = next.sort((a, b) => Temporal.Instant.compare(a.boundary.at, b.boundary.at))[0];
      return first === undefined ? refused('no_upcoming_invoice', 'The customer has no subscription that will be billed again.') : accepted(first);
    });
  }

  private async preview(
    manager: EntityManager,
    options: { organizationId: string; one: BilledSubscription; boundary: Boundary; limitsOf: ((currency: string) => PayableAmounts) | null },
  ): Promise<PreviewedInvoice | null> {
    const { organizationId, one, boundary } = options;
    const { subscription } = one;
    const organization = await findOrganization(manager, organizationId);
    assert(organization !== null, 'A subscription belongs to an organization.');
    const carried = await readCarriedAmounts(manager, { organizationId, customerIds: [subscription.customerId] });
    const closes = boundary.closes;
    const [rated] = closes === null ? [] : await readRatedPeriods(manager, [{ subscriptionId: subscription.id, periodIndex: closes.number }]);
    const period = closes?.period;
    const usage = period === undefined ? [] : rated === undefined ? unusedUsageLines(one, { organization, period, stage: closes?.stage ?? 0 }) : ratedUsageLines(rated, { currency: subscription.currency, period, addOns: subscription.addOns });
    const adjustments = await this.adjustments(manager, { organizationId, subscriptionId: subscription.id, closesIndex: closes?.number ?? null });
    const carriedIn = carried.filter(({ currency }) => currency === subscription.currency);
    const terms = feeTermsOf(one, organization);
    const charges = [...usage, ...adjustments];
    const book = await CommitmentBook.open(manager, { subscriptions: [subscription], rounding: organization.rounding, drafts: { exceptIds: [] } });
    const document = { subscriptionId: subscription.id, kind: 'period' as const, periodIndex: boundary.index, closesIndex: closes?.number ?? null };
    const fees = boundaryFees(boundary, terms);
    const trueUps = trueUpLines(book.settle(document, [...charges, ...fees]));
    return previewInvoice({ boundary, terms, lines: [...charges, ...trueUps, ...fees], carriedIn, payable: options.limitsOf?.(subscription.currency) ?? null });
  }

  /** Late usage that this invoice will bear. What a draft bears that comes before it is not among it. */
  private async adjustments(manager: EntityManager, of: { organizationId: string; subscriptionId: string; closesIndex: number | null }): Promise<InvoiceLine[]> {
    const { organizationId, subscriptionId, closesIndex } = of;
    const owed = await readOwedLateUsage(manager, { organizationId, subscriptionIds: [subscriptionId] });
    if (owed.size === 0) return [];
    const drafted = (await readDraftedPeriods(manager, [subscriptionId])).get(subscriptionId);
    if (drafted !== undefined) takeOwed(owed, { subscriptionId, kind: 'period', closesIndex: drafted });
    return adjustmentLines(takeOwed(owed, { subscriptionId, kind: 'period', closesIndex }));
  }
}

/** The first boundary after an instant that bills something more than the start of a trial. */
function boundaryAfter(one: BilledSubscription, now: Temporal.Instant): Boundary | null {
  const schedule = scheduleOf(one);
  const from = later(now, schedule.firstStart);
  let index = 0;
  for (let step = 0; step < boundariesMax; step += 1) {
    const boundary = nextBoundary(schedule, index);
    if (boundary === null) return null;
    if (boundary.index > 0 && (Temporal.Instant.compare(boundary.at, now) > 0 || Temporal.Instant.compare(boundary.at, from) > 0)) return boundary;
    if (boundary.isLast) return null;
    index = boundary.index + 1;
  }
  return null;
}
