import type { InvoiceStatus } from '#domain';
import { listInvoices, readCustomer, readInvoices, type Database, type InvoiceRecord } from '#persistence';
import type { ListPage } from '#platform';
import type { AwaitRatings } from './await-ratings.js';
import { readWithLines, type ReadableInvoice } from './read-drafts.js';

export interface InvoiceListQuery {
  readonly page: ListPage;
  /** Id or key. */
  readonly customer: string | undefined;
  readonly subscriptionId: string | undefined;
  readonly status: InvoiceStatus | undefined;
  readonly from: Temporal.Instant | undefined;
  readonly to: Temporal.Instant | undefined;
}

/** Reads invoices of one organization; drafts with all usage that is counted by now. */
export class FindInvoices {
  constructor(
    private readonly database: Database,
    private readonly awaitRatings: AwaitRatings,
    private readonly businessNow: (organizationId: string) => Promise<Temporal.Instant>,
  ) {}

  /** Null where the organization has none with this id. */
  async one({ organizationId, id }: { readonly organizationId: string; readonly id: string }): Promise<ReadableInvoice | null> {
    const invoices = await this.database.inOrganization(organizationId, (manager) => readInvoices(manager, { ids: [id] }));
    const [found] = await this.withUsage(organizationId, invoices);
    return found ?? null;
  }

  /** The one made last first. A customer that is not there has no invoices. */
  async list(organizationId: string, query: InvoiceListQuery): Promise<{ items: ReadableInvoice[]; hasMore: boolean }> {
    const page = await this.database.inOrganization(organizationId, async (manager) => {
      const customer = query.customer === undefined ? undefined : await readCustomer(manager, query.customer);
      if (customer === null) return { items: [], hasMore: false };
      const filter = { customerId: customer?.id, subscriptionId: query.subscriptionId, status: query.status, from: query.from, to: query.to };
      return listInvoices(manager, { page: query.page, filter });
    });
    return { items: await this.withUsage(organizationId, page.items), hasMore: page.hasMore };
  }

  /** An invoice that was a draft is read again once its usage is rated: it may have been issued meanwhile. */
  private async withUsage(organizationId: string, invoices: readonly InvoiceRecord[]): Promise<ReadableInvoice[]> {
    const drafts = invoices.filter(({ status, closesIndex, kind }) => status === 'draft' && (closesIndex !== null || kind === 'one_off'));
    if (drafts.length > 0) {
      const subscriptionIds = [...new Set(drafts.map(({ subscriptionId }) => subscriptionId))];
      await this.awaitRatings.execute({ organizationId, subscriptionIds, now: await this.businessNow(organizationId) });
    }
    return this.database.inOrganization(organizationId, async (manager) => {
      const reread = new Map((drafts.length === 0 ? [] : await readInvoices(manager, { ids: drafts.map(({ id }) => id) })).map((invoice) => [invoice.id, invoice]));
      return readWithLines(manager, { organizationId, invoices: invoices.map((invoice) => reread.get(invoice.id) ?? invoice) });
    });
  }
}
