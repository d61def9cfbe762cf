import type { RatedUsageQuery } from '#contracts';
import { ratedUsageGroups, readRatedUsage, type Database, type RatedUsageGroup, type RatedUsageRow } from '#persistence';
import { accepted, refused, type Clock, type InputFault, type Outcome } from '#platform';
import type { RefreshRatings } from './refresh-ratings.js';

const rowsMax = 50_000;

export type ReportCode = 'invalid_request' | 'result_too_large';

export interface RatedUsageReport {
  readonly rows: readonly RatedUsageRow[];
  readonly completeAsOf: Temporal.Instant;
}

/** Finance's question: what was earned, by whom, on which plan, price and day. */
export class ReportRatedUsage {
  constructor(
    private readonly use: { readonly database: Database; readonly refresh: RefreshRatings; readonly clock: Clock },
  ) {}

  async execute(organizationId: string, query: RatedUsageQuery): Promise<Outcome<RatedUsageReport, ReportCode>> {
    const from = Temporal.Instant.from(query.from);
    const to = Temporal.Instant.from(query.to);
    const faults = rangeFaults(from, to);
    if (faults.length > 0) return refused('invalid_request', 'The range is not as it must be.', faults);
    const completeAsOf = await this.use.refresh.execute(organizationId);
    const rows = await this.use.database.inOrganization(organizationId, async (manager) =>
      readRatedUsage(manager, {
        from,
        to,
        groupBy: ratedUsageGroupsOf(query),
        rowsMax,
        ...(query.customer === undefined ? {} : { customer: query.customer }),
        ...(query.plan === undefined ? {} : { plan: query.plan }),
        ...(query.price === undefined ? {} : { price: query.price }),
        ...(query.currency === undefined ? {} : { currency: query.currency }),
      }),
    );
    if (rows.length > rowsMax) {
      return refused('result_too_large', `The answer has more than ${rowsMax} rows. Ask for a shorter range, or group by less.`);
    }
    return accepted({ rows, completeAsOf });
  }
}

/** What a report is grouped by: all four unless the caller names some. */
export function ratedUsageGroupsOf(query: Pick<RatedUsageQuery, 'group_by'>): RatedUsageGroup[] {
  return query.group_by === undefined ? [...ratedUsageGroups] : ([...new Set(query.group_by.split(','))] as RatedUsageGroup[]);
}

function rangeFaults(from: Temporal.Instant, to: Temporal.Instant): InputFault[] {
  if (Temporal.Instant.compare(from, to) < 0) return [];
  return [{ pointer: '/to', code: 'invalid_range', detail: '"to" must be after "from".' }];
}
