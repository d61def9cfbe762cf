import { customerTable, listRows, readAttachments, readCustomer, type Attachment, type BusinessClock, type Condition, type Customer, type Database, type RowPage } from '#persistence';
import { accepted, refused, type ListPage, type Outcome } from '#platform';

/** A customer with the subjects that it has at business time. */
export interface CustomerView {
  readonly customer: Customer;
  readonly subjects: readonly string[];
}

const attachmentsMax = 10_000;

export class ReadCustomers {
  constructor(
    private readonly database: Database,
    private readonly businessClock: BusinessClock,
  ) {}

  async find(at: { organizationId: string; reference: string }): Promise<Outcome<CustomerView, 'not_found'>> {
    const customer = await this.database.inOrganization(at.organizationId, (manager) => readCustomer(manager, at.reference));
    return customer === null ? missing() : accepted(await this.view(customer));
  }

  async view(customer: Customer): Promise<CustomerView> {
    const [view] = await this.views(customer.organizationId, [customer]);
    return view ?? { customer, subjects: [] };
  }

  async list(organizationId: string, options: { page: ListPage; includeArchived: boolean; subject: string | null }): Promise<RowPage<CustomerView>> {
    const now = await this.businessClock.now(organizationId);
    const conditions: Condition[] = options.includeArchived ? [] : [{ sql: () => 'archived_at is null', values: [] }];
    if (options.subject !== null) {
      conditions.push({
        sql: (place) => `id in (select customer_id from customer_subjects
          where subject = $${place} and (from_at is null or from_at <= $${place + 1}) and (to_at is null or to_at > $${place + 1}))`,
        values: [options.subject, now.toString()],
      });
    }
    const page = await this.database.inOrganization(organizationId, (manager) => listRows(manager, customerTable, { page: options.page, conditions }));
    return { items: await this.views(organizationId, page.items), hasMore: page.hasMore };
  }

  /** All of a customer's attachments, past and to come, by subject and time. */
  async attachments(at: { organizationId: string; reference: string }): Promise<Outcome<readonly Attachment[], 'not_found'>> {
    return this.database.inOrganization(at.organizationId, async (manager) => {
      const customer = await readCustomer(manager, at.reference);
      if (customer === null) return missing();
      return accepted((await readAttachments(manager, { customerIds: [customer.id] })).slice(0, attachmentsMax));
    });
  }

  private async views(organizationId: string, customers: readonly Customer[]): Promise<CustomerView[]> {
    if (customers.length === 0) return [];
    const now = await this.businessClock.now(organizationId);
    const attachments = await this.database.inOrganization(organizationId, (manager) => readAttachments(manager, { customerIds: customers.map(({ id }) => id) }));
    const subjects = new Map<string, string[]>();
    for (const attachment of attachments) {
      if (!lasts(attachment, now)) continue;
      subjects.set(attachment.customerId, [...(subjects.get(attachment.customerId) ?? []), attachment.subject]);
    }
    return customers.map((customer) => ({ customer, subjects: subjects.get(customer.id) ?? [] }));
  }
}

function lasts({ fromAt, toAt }: Attachment, now: Temporal.Instant): boolean {
  return (fromAt === null || Temporal.Instant.compare(fromAt, now) <= 0) && (toAt === null || Temporal.Instant.compare(now, toAt) < 0);
}

function missing(): Outcome<never, 'not_found'> {
  return refused('not_found', 'There is no such customer.');
}
