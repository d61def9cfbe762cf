import type { MeterVerificationQuery } from '#contracts';
import { meterParts } from '#domain';
import { findMeters, type Database, type UsageReader } from '#persistence';
import { accepted, refused, type Outcome } from '#platform';
import { usageRange, type UsageRange } from './usage-range.js';
import type { Verification, VerifyRollups } from './verify-rollups.js';

export type VerifyMeterCode = 'not_found' | 'invalid_request';

export interface MeterVerification extends Verification, UsageRange {
  readonly meterId: string;
  readonly freshAsOf: Temporal.Instant;
}

export const hoursMax = 92 * 24;

/** Proves one meter's rollups over the hours that a range touches. */
export class VerifyMeter {
  constructor(private readonly use: { readonly database: Database; readonly usage: UsageReader; readonly verify: VerifyRollups }) {}

  async execute({ organizationId, meter: reference }: { organizationId: string; meter: string }, query: MeterVerificationQuery): Promise<Outcome<MeterVerification, VerifyMeterCode>> {
    const [meter] = await this.use.database.inOrganization(organizationId, (manager) => findMeters(manager, { reference }));
    if (meter === undefined) return refused('not_found', 'There is no such meter.');
    const { range, faults } = usageRange(query);
    if (faults.length > 0) return refused('invalid_request', 'The question can not be answered.', faults);
    const hours = { from: range.from.round({ smallestUnit: 'hour', roundingMode: 'floor' }), to: range.to.round({ smallestUnit: 'hour', roundingMode: 'ceil' }) };
    if (hours.from.until(hours.to).total('hours') > hoursMax) {
      return refused('invalid_request', 'The question can not be answered.', [{ pointer: '/to', code: 'invalid_range', detail: `At most ${hoursMax / 24} days are compared at once.` }]);
    }
    const freshAsOf = await this.use.usage.freshAsOf();
    return accepted({ ...(await this.use.verify.execute(meterParts(meter), hours)), ...hours, meterId: meter.id, freshAsOf });
  }
}
