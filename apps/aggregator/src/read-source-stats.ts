import type { EventSourceStatsQuery } from '#contracts';
import { eventSourceTable, findByIdOrKey, type Database, type SourceActivityReader, type SourceHour } from '#persistence';
import { accepted, refused, type Outcome } from '#platform';
import { usageRange, type UsageRange } from './usage-range.js';

export type SourceStatsCode = 'not_found' | 'invalid_request';

export interface SourceStats extends UsageRange {
  readonly hours: readonly SourceHour[];
}

/** Bounds the rows of an answer: 2,232 hours. */
const rangeDaysMax = 93;

/** What came from an event source, hour by hour. */
export class ReadSourceStats {
  constructor(private readonly use: { readonly database: Database; readonly activity: SourceActivityReader }) {}

  async execute({ organizationId, reference }: { organizationId: string; reference: string }, query: EventSourceStatsQuery): Promise<Outcome<SourceStats, SourceStatsCode>> {
    const found = await this.use.database.inOrganization(organizationId, (manager) => findByIdOrKey(manager, eventSourceTable, reference));
    if (found === null) return refused('not_found', 'There is no such event source.');
    const { range, faults } = usageRange(query);
    if (faults.length === 0 && range.from.until(range.to).total('hours') > rangeDaysMax * 24) {
      faults.push({ pointer: '/to', code: 'invalid_range', detail: `At most ${rangeDaysMax} days are told at once.` });
    }
    if (faults.length > 0) return refused('invalid_request', 'The question can not be answered.', faults);
    return accepted({ ...range, hours: await this.use.activity.read({ organizationId, source: found.source ?? found.key, ...range }) });
  }
}
