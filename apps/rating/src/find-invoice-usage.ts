import type { EntityManager } from 'typeorm';
import type { IdentifiedPrice } from '#domain';
import {
  findOrganization, readAddOnsOf, readClosedRatings, readInvoiceLines, readInvoices, readSettledByLines, readUsageBases,
  type BasisKey, type ClosedRating, type Database, type InvoiceLineRecord, type InvoiceRecord, type KeptBasis, type Organization, type SettledByLine, type SubscribedAddOn,
} from '#persistence';
import { accepted, assert, refused, type Outcome } from '#platform';
import { pricedParts } from './add-on-parts.js';
import type { PeriodToRate } from './period-to-rate.js';
import type { RateClosedPeriods } from './rate-closed-periods.js';

export type InvoiceUsageCode = 'not_found' | 'invoice_not_issued';

/** Where the usage of a line comes from. */
export interface UsageOrigin {
  readonly period: PeriodToRate;
  /** The time of the period that the price is there for: all of it, but for an add-on's. */
  readonly part: PeriodToRate;
  readonly price: IdentifiedPrice;
  /** Null where it was issued before bases were kept. */
  readonly kept: KeptBasis | null;
  /** Of an adjustment: what was settled before it. */
  readonly before: KeptBasis | null;
  /** Of an adjustment. */
  readonly settled: SettledByLine | null;
}

export interface InvoiceUsage {
  readonly organization: Organization;
  readonly invoice: InvoiceRecord;
  readonly lines: readonly InvoiceLineRecord[];
  /** That its subscription has at any time. */
  readonly addOns: readonly SubscribedAddOn[];
  /** By line; those that no usage stands behind are left out. */
  readonly origins: ReadonlyMap<string, UsageOrigin>;
}

interface Source {
  readonly line: InvoiceLineRecord;
  readonly closed: ClosedRating;
  readonly settled: SettledByLine | null;
}

/** An issued invoice with the usage that its lines were made of. */
export class FindInvoiceUsage {
  constructor(private readonly use: { readonly database: Database; readonly rateClosed: RateClosedPeriods }) {}

  async execute({ organizationId, invoiceId }: { readonly organizationId: string; readonly invoiceId: string }): Promise<Outcome<InvoiceUsage, InvoiceUsageCode>> {
    return this.use.database.inOrganization(organizationId, async (manager): Promise<Outcome<InvoiceUsage, InvoiceUsageCode>> => {
      const organization = await findOrganization(manager, organizationId);
      const [invoice] = await readInvoices(manager, { ids: [invoiceId] });
      if (organization === null || invoice === undefined) return refused('not_found', 'There is no such invoice.');
      if (invoice.status === 'draft') return refused('invoice_not_issued', 'The invoice is a draft: its lines and their usage are settled when it is issued.');
      const lines = (await readInvoiceLines(manager, { organizationId, invoiceIds: [invoiceId] })).get(invoiceId) ?? [];
      const addOns = (await readAddOnsOf(manager, [invoice.subscriptionId])).get(invoice.subscriptionId) ?? [];
      return accepted({ organization, invoice, lines, addOns, origins: await this.originsOf(manager, { invoice, lines }) });
    });
  }

  private async originsOf(manager: EntityManager, { invoice, lines }: Pick<InvoiceUsage, 'invoice' | 'lines'>): Promise<Map<string, UsageOrigin>> {
    const sources = await sourcesOf(manager, { invoice, lines });
    const closed = [...new Map(sources.map((source) => [keyOf(source.closed), source.closed])).values()];
    const periods = new Map((closed.length === 0 ? [] : await this.use.rateClosed.withTerms(manager, closed)).map((period, place) => [keyOf(closed[place] as ClosedRating), period]));
    const bases = new Map((await readUsageBases(manager, sources.flatMap(basesOf))).map((kept) => [basisText(kept), kept]));
    return new Map(sources.map((source) => {
      const period = periods.get(keyOf(source.closed));
      assert(period !== undefined, 'What has been billed keeps its plan version.');
      const priced = pricedParts(period).find(({ price: { id } }) => id === source.line.priceId);
      assert(priced !== undefined, 'What has been billed keeps its plan version and its add-ons.');
      const [own, before] = basesOf(source).map((key) => bases.get(basisText(key)) ?? null);
      return [source.line.id, { period, ...priced, kept: own ?? null, before: before ?? null, settled: source.settled }];
    }));
  }
}

async function sourcesOf(manager: EntityManager, { invoice, lines }: Pick<InvoiceUsage, 'invoice' | 'lines'>): Promise<Source[]> {
  const settled = new Map((await readSettledByLines(manager, invoice.id)).map((one) => [one.lineId, one]));
  const own = invoice.closesIndex === null ? [] : [{ subscriptionId: invoice.subscriptionId, periodIndex: invoice.closesIndex }];
  const closed = new Map((await readClosedRatings(manager, [...own, ...settled.values()])).map((rating) => [keyOf(rating), rating]));
  return lines.flatMap((line): Source[] => {
    const adjustment = settled.get(line.id) ?? null;
    const [key] = adjustment === null ? (line.kind === 'usage' ? own : []) : [adjustment];
    const rating = key === undefined ? undefined : closed.get(keyOf(key));
    return rating === undefined ? [] : [{ line, closed: rating, settled: adjustment }];
  });
}

/** Its own, and for an adjustment that of what was settled before. */
function basesOf({ closed, settled }: Source): BasisKey[] {
  const { subscriptionId, periodIndex } = closed;
  const last = { subscriptionId, periodIndex, isLate: false, generation: closed.generation };
  if (settled === null) return [last];
  const before = settled.generationBefore === null ? last : { ...last, isLate: true, generation: settled.generationBefore };
  return [{ ...last, isLate: true, generation: settled.generation }, before];
}

function keyOf({ subscriptionId, periodIndex }: { readonly subscriptionId: string; readonly periodIndex: number }): string {
  return `${subscriptionId}/${periodIndex}`;
}

function basisText(key: BasisKey): string {
  return `${keyOf(key)}/${key.isLate ? 'late' : 'last'}/${key.generation}`;
}
