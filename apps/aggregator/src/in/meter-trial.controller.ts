import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { meterTrialAnswerSchema, meterTrialSchema, type MeterTrialBody, type MeterTrialInput } from '#contracts';
import { Answers, CurrentPrincipal, RequiredScope, valueOrProblem, type Principal } from '#platform';
import { TryMeter, type TryMeterCode } from '../try-meter.js';

const statuses: Readonly<Record<TryMeterCode, number>> = { invalid_request: 422 };

@ApiTags('meters')
@Controller()
export class MeterTrialController {
  constructor(@Inject(TryMeter) private readonly tryMeter: TryMeter) {}

  @Post('v1/meters/try')
  @HttpCode(200)
  @RequiredScope('usage:read')
  @ApiOperation({
    summary: 'Try a meter that does not exist yet',
    description: 'Takes the body that would make the meter, and says what it would have counted of the events that are there: the value, its groups, and of the newest events what each brings or why it does not count. Nothing is stored.',
  })
  @Answers({ schema: meterTrialAnswerSchema, problems: [400, 422] })
  async try(@CurrentPrincipal() principal: Principal, @Body({ schema: meterTrialSchema }) body: MeterTrialInput): Promise<MeterTrialBody> {
    const trial = valueOrProblem(await this.tryMeter.execute(principal.organizationId, body), statuses);
    return {
      object: 'meter_trial',
      from: trial.from.toString(),
      to: trial.to.toString(),
      events: { ...trial.counts },
      value: trial.value,
      groups: trial.groups.map(({ group, value }) => ({ group: { ...group }, value })),
      groups_total: trial.groupsTotal,
      samples: trial.samples.map(({ group, reason, ...event }) => ({ ...event, group: { ...group }, counted: reason === null, reason })),
      fresh_as_of: trial.freshAsOf.toString(),
    };
  }
}
