import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { meterVerificationQuerySchema, meterVerificationSchema, type MeterVerificationBody, type MeterVerificationQuery } from '#contracts';
import type { RollupDifference } from '#persistence';
import { Answers, CurrentPrincipal, RequiredScope, valueOrProblem, type Principal } from '#platform';
import { VerifyMeter, type VerifyMeterCode } from '../verify-meter.js';

const statuses: Readonly<Record<VerifyMeterCode, number>> = { not_found: 404, invalid_request: 422 };

@ApiTags('usage')
@Controller()
export class VerificationController {
  constructor(@Inject(VerifyMeter) private readonly verifyMeter: VerifyMeter) {}

  @Get('v1/meters/:meter/verify')
  @RequiredScope('usage:read')
  @ApiOperation({
    summary: 'Prove that a meter’s rollups are what its events say',
    description: 'Counts the raw events once more, hour by hour, and compares with what usage is read from. Each meter is also compared once a day by itself.',
  })
  @Answers({ schema: meterVerificationSchema, problems: [404, 422] })
  async verify(@CurrentPrincipal() principal: Principal, @Param('meter') meter: string, @Query({ schema: meterVerificationQuerySchema }) query: MeterVerificationQuery): Promise<MeterVerificationBody> {
    const found = valueOrProblem(await this.verifyMeter.execute({ organizationId: principal.organizationId, meter }, query), statuses);
    return {
      object: 'meter_verification',
      meter: found.meterId,
      from: found.from.toString(),
      to: found.to.toString(),
      equal: found.differences.length === 0,
      rolled_up: found.isRolledUp,
      compared: { groups: `${found.groups}`, events: `${found.events}`, waiting: found.dirtyCells },
      differences: found.differences.map(toDifference),
      has_more: found.hasMore,
      fresh_as_of: found.freshAsOf.toString(),
    };
  }
}

function toDifference(difference: RollupDifference): MeterVerificationBody['differences'][number] {
  const start = Temporal.Instant.fromEpochMilliseconds(difference.hour * 1_000);
  return {
    window_start: start.toString(),
    window_end: start.add({ hours: 1 }).toString(),
    subject: difference.subject,
    group: { ...difference.group },
    raw_value: difference.rawValue,
    rollup_value: difference.rollupValue,
    raw_events: `${difference.rawEvents}`,
    rollup_events: `${difference.rollupEvents}`,
  };
}
