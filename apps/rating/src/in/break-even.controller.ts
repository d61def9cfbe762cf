import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { breakEvenBodySchema, breakEvenSchema, type BreakEvenBody, type BreakEvenRequest } from '#contracts';
import { toPlain, type BreakEven } from '#domain';
import { Answers, CurrentPrincipal, RequiredScope, valueOrProblem, type Principal } from '#platform';
import { FindBreakEven, type BreakEvenCode } from '../find-break-even.js';
import { cheaperBody } from './cheaper-body.js';

const statuses: Readonly<Record<BreakEvenCode, number>> = { invalid_request: 422 };

@ApiTags('rating')
@Controller()
export class BreakEvenController {
  constructor(@Inject(FindBreakEven) private readonly findBreakEven: FindBreakEven) {}

  @Post('v1/pricing/break-even')
  @HttpCode(200)
  @RequiredScope('catalog:read')
  @ApiOperation({
    summary: 'Where two plans or prices cost the same, and which is cheaper on each side',
    description:
      'Of one whole billing period, by the quantity of one meter; exact, whatever tiers, packages, bounds and roundings there are. A side that becomes cheaper by a jump is told by the last quantity before it and the first after it. One-time prices are left out, nothing rolled over, and no service was bad. Stores nothing.',
  })
  @Answers({ schema: breakEvenBodySchema, problems: [400, 422] })
  async compare(@CurrentPrincipal() principal: Principal, @Body({ schema: breakEvenSchema }) body: BreakEvenRequest): Promise<BreakEvenBody> {
    return toBody(valueOrProblem(await this.findBreakEven.execute(principal.organizationId, body), statuses), body.currency);
  }
}

function toBody(found: BreakEven, currency: string): BreakEvenBody {
  return {
    object: 'break_even',
    currency,
    meter: found.meter,
    step: toPlain(found.step),
    from_quantity: toPlain(found.from),
    to_quantity: found.to === null ? null : toPlain(found.to),
    ...cheaperBody(found, currency),
  };
}
