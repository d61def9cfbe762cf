import { usageFilters, valuesOf, type MeterUsageQuery } from '#contracts';
import { isTimeZone, meterDimensions, usageWindows, type Meter } from '#domain';
import { findMeters, readCustomerIds, type Database, type GroupOrder, type Usage, type UsageReader } from '#persistence';
import { accepted, refused, type InputFault, type Outcome } from '#platform';
import { usageRange, type UsageRange } from './usage-range.js';

export type MeterUsageCode = 'not_found' | 'invalid_request' | 'result_too_large';

export interface MeterUsage extends Usage, UsageRange {
  /** What stands in the rows beside window and value. */
  readonly shown: ShownKeys;
}

export interface ShownKeys {
  readonly hasCustomer: boolean;
  readonly hasSubject: boolean;
  readonly dimensions: readonly string[];
  readonly hasRest: boolean;
}

export const usageRowsMax = 50_000;
const ownDimensions: ReadonlySet<string> = new Set(['customer', 'subject']);
const orders: Readonly<Record<NonNullable<MeterUsageQuery['order']>, GroupOrder>> = { window: 'key', value: 'least_first', '-value': 'greatest_first' };

/** One meter's usage over a range: in windows, by group, of all or of some customers. */
export class ReadMeterUsage {
  constructor(private readonly use: { readonly database: Database; readonly usage: UsageReader }) {}

  async execute({ organizationId, meter: meterReference }: { organizationId: string; meter: string }, query: MeterUsageQuery, rowsMax = usageRowsMax): Promise<Outcome<MeterUsage, MeterUsageCode>> {
    const { meter, customerIds } = await this.use.database.inOrganization(organizationId, async (manager) => {
      const [found] = await findMeters(manager, { reference: meterReference });
      return { meter: found, customerIds: query.customer === undefined ? undefined : await readCustomerIds(manager, valuesOf(query.customer)) };
    });
    if (meter === undefined) return refused('not_found', 'There is no such meter.');
    if (customerIds === null) return refused('not_found', 'There is no such customer.');
    const { range, faults } = usageRange(query);
    const groupBy = query.group_by === undefined ? [] : query.group_by.split(',').map((name) => name.trim());
    const allFaults = [...faults, ...queryFaults(query, { meter, groupBy })];
    if (allFaults.length > 0) return refused('invalid_request', 'The question can not be answered.', allFaults);
    const dimensions = groupBy.filter((name) => !ownDimensions.has(name));
    const subjects = query.subject === undefined ? null : valuesOf(query.subject);
    const groupsMax = query.limit === undefined ? null : Number(query.limit);
    const usage = await this.use.usage.read({
      meter,
      ...range,
      windows: usageWindows({ ...range, unit: query.window ?? null, timeZone: query.time_zone ?? 'UTC' }),
      customerIds: customerIds ?? null,
      subjects,
      groupBy: dimensions,
      groupsByCustomer: groupBy.includes('customer'),
      groupsBySubject: groupBy.includes('subject'),
      filters: usageFilters(query),
      groupOrder: orders[query.order ?? (groupsMax === null ? 'window' : '-value')],
      groupsMax,
      fillsZero: query.fill === 'zero',
      rowsMax,
    });
    if (!usage.ok) return usage;
    const shown = { hasCustomer: groupBy.includes('customer') || customerIds?.length === 1, hasSubject: groupBy.includes('subject') || subjects?.length === 1, dimensions, hasRest: groupsMax !== null };
    return accepted({ ...usage.value, ...range, shown });
  }
}

/** What is wrong with a question about this meter, beside its range. */
export function queryFaults(query: MeterUsageQuery, asked: { meter: Meter; groupBy: readonly string[] }): InputFault[] {
  const faults: InputFault[] = [];
  const { meter, groupBy } = asked;
  const known = meterDimensions(meter);
  const dimensions = `It has ${known.join(', ') || 'none of its own'}.`;
  if (query.time_zone !== undefined && !isTimeZone(query.time_zone)) faults.push({ pointer: '/time_zone', code: 'invalid_time_zone', detail: 'Give the name of a zone such as Europe/Berlin.' });
  if (query.limit !== undefined && groupBy.length === 0) faults.push({ pointer: '/limit', code: 'nothing_to_limit', detail: 'A limit says how many groups are shown. Give group_by as well.' });
  for (const [index, name] of groupBy.entries()) {
    if (groupBy.indexOf(name) < index) faults.push({ pointer: '/group_by', code: 'duplicate_dimension', detail: `${name} stands there twice.` });
    if (ownDimensions.has(name) || known.includes(name)) continue;
    faults.push({ pointer: '/group_by', code: 'unknown_dimension', detail: `The meter has no dimension "${name}". ${dimensions}` });
  }
  for (const name of Object.keys(usageFilters(query))) {
    if (known.includes(name)) continue;
    faults.push({ pointer: `/filter[${name.replaceAll('~', '~0').replaceAll('/', '~1')}]`, code: 'unknown_dimension', detail: `The meter has no dimension "${name}". ${dimensions}` });
  }
  return faults;
}
