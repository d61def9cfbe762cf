import type { InvoiceStatus } from '#domain';
import { listInvoices, readCustomer, readInvoices, type Database } from '#persistence';
import type { ListPage } from '#platform';
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

/** Reads invoices of one organization. */
export class FindInvoices {
  constructor(private readonly database: Database) {}

  /** Null where the organization has none with this id. */
  async one({ organizationId, id }: { readonly organizationId: string; readonly id: string }): Promise<ReadableInvoice | null> {
    return this.database.inOrganization(organizationId, async (manager) => {
      const [found] = await readWithLines(manager, { organizationId, invoices: await readInvoices(manager, { ids: [id] }) });
      return found ?? null;
    });
  }

  /** The one made last first. A customer that is not there has no invoices. */
  async list(organizationId: string, query: InvoiceListQuery): Promise<{ items: ReadableInvoice[]; hasMore: boolean }> {
    return this.database.inOrganization(organizationId, async (manager) => {
      const customer = query.customer === undefined ? undefined : await readCustomer(manager, query.customer);
      if (customer === null) return { items: [], hasMore: false };
      const filter = { customerId: customer?.id, subscriptionId: query.subscriptionId, status: query.status, from: query.from, to: query.to };
      const { items, hasMore } = await listInvoices(manager, { page: query.page, filter });
      return { items: await readWithLines(manager, { organizationId, invoices: items }), hasMore };
    });
  }
}
