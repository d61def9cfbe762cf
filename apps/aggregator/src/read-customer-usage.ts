import type { CustomerUsageQuery } from '#contracts';
import { isZeroOfNothing, type Meter } from '#domain';
import { findMeters, readCustomer, readMeters, type Database, type MeterResource, type UsageReader } from '#persistence';
import { accepted, assert, refused, type Outcome } from '#platform';
import { usageRange, type UsageRange } from './usage-range.js';

export type CustomerUsageCode = 'not_found' | 'invalid_request';

export interface MeterTotal {
  readonly meter: MeterResource;
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
    const { customer, resources, meters } = await this.use.database.inOrganization(organizationId, async (manager) => ({
      customer: await readCustomer(manager, customerReference),
      resources: await readMeters(manager),
      meters: new Map((await findMeters(manager, { isCurrent: true })).map((meter) => [meter.id, meter])),
    }));
    if (customer === null) return refused('not_found', 'There is no such customer.');
    const { range, faults } = usageRange(query);
    if (faults.length > 0) return refused('invalid_request', 'The question can not be answered.', faults);
    const freshAsOf = await this.use.usage.freshAsOf();
    const current = resources.flatMap((resource) => {
      const meter = meters.get(resource.id);
      return meter === undefined ? [] : [{ resource, meter }];
    });
    const totals: MeterTotal[] = [];
    for (let at = 0; at < current.length; at += readsAtOnce) {
      totals.push(...(await Promise.all(current.slice(at, at + readsAtOnce).map((counted) => this.total(counted, { customerId: customer.id, range })))));
    }
    return accepted({ ...range, customerId: customer.id, totals, freshAsOf });
  }

  private async total({ resource, meter }: { resource: MeterResource; meter: Meter }, of: { customerId: string; range: UsageRange }): Promise<MeterTotal> {
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
    return { meter: resource, value: usage.value.rows[0]?.value ?? (isZeroOfNothing(meter.aggregation) ? '0' : null) };
  }
}
