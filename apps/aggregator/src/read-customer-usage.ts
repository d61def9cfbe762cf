import type { CustomerUsageQuery } from '#contracts';
import { isZeroOfNothing } from '#domain';
import { readCustomer, readNamedMeters, type Database, type NamedMeter, type UsageReader } from '#persistence';
import { accepted, assert, refused, type Outcome } from '#platform';
import { usageRange, type UsageRange } from './usage-range.js';

export type CustomerUsageCode = 'not_found' | 'invalid_request';

export interface MeterTotal extends NamedMeter {
  /** Null for the least, greatest, average, latest or a percentile of nothing. */
  readonly value: string | null;
}

export interface CustomerUsage extends UsageRange {
  readonly customerId: string;
  readonly totals: readonly MeterTotal[];
  readonly freshAsOf: Temporal.Instant;
}

/** Meters read at a time: each is a query. */
const readsAtOnce = 3;

/** What one customer used by every meter over a range. */
export class ReadCustomerUsage {
  constructor(private readonly use: { readonly database: Database; readonly usage: UsageReader }) {}

  async execute({ organizationId, customer: customerReference }: { organizationId: string; customer: string }, query: CustomerUsageQuery): Promise<Outcome<CustomerUsage, CustomerUsageCode>> {
    const { customer, meters } = await this.use.database.inOrganization(organizationId, async (manager) => ({
      customer: await readCustomer(manager, customerReference),
      meters: await readNamedMeters(manager),
    }));
    if (customer === null) return refused('not_found', 'There is no such customer.');
    const { range, faults } = usageRange(query);
    if (faults.length > 0) return refused('invalid_request', 'The question can not be answered.', faults);
    const freshAsOf = await this.use.usage.freshAsOf();
    const totals: MeterTotal[] = [];
    for (let at = 0; at < meters.length; at += readsAtOnce) {
      totals.push(...(await Promise.all(meters.slice(at, at + readsAtOnce).map((named) => this.total(named, { customerId: customer.id, range })))));
    }
    return accepted({ ...range, customerId: customer.id, totals, freshAsOf });
  }

  private async total(named: NamedMeter, of: { customerId: string; range: UsageRange }): Promise<MeterTotal> {
    const { meter } = named;
    const usage = await this.use.usage.read({
      meter,
      ...of.range,
      windows: { kind: 'whole' },
      customerIds: [of.customerId],
      subjects: null,
      groupBy: [],
      groupsByCustomer: false,
      groupsBySubject: false,
      filters: {},
      groupOrder: 'key',
      groupsMax: null,
      fillsZero: false,
      rowsMax: 1,
    });
    assert(usage.ok, 'Without windows and groups there is one row at most.');
    return { ...named, value: usage.value.rows[0]?.value ?? (isZeroOfNothing(meter.aggregation) ? '0' : null) };
  }
}
