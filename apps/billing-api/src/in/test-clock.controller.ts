import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { testClockAdvancedSchema, testClockAdvanceSchema, testClockSchema, testClockSetSchema } from '#contracts';
import type { TestClockAdvancedBody, TestClockBody } from '#contracts';
import type { TestClock } from '#persistence';
import { Answers, CurrentPrincipal, RequiredScope, valueOrProblem, type Principal } from '#platform';
import { AdvanceTestClock, type AdvanceRefusal } from '../advance-test-clock.js';
import { TestClocks, type SetClockRefusal } from '../test-clocks.js';
import { businessInstant } from './business-instant.js';
import { instantText } from './wire-text.js';

const statuses: Readonly<Record<SetClockRefusal | AdvanceRefusal, number>> = { live_organization: 409, clock_advancing: 409, invoice_exists: 409, not_forward: 422 };

@ApiTags('test-clock')
@Controller('/v1/test-clock')
export class TestClockController {
  constructor(
    private readonly testClocks: TestClocks,
    private readonly advanceTestClock: AdvanceTestClock,
  ) {}

  @Get()
  @RequiredScope('organization:read')
  @ApiOperation({ summary: 'Read the business time of a test organization' })
  @Answers({ schema: testClockSchema, problems: [409] })
  async read(@CurrentPrincipal() principal: Principal): Promise<TestClockBody> {
    return toBody(valueOrProblem(await this.testClocks.read(principal.organizationId), statuses));
  }

  @Post()
  @HttpCode(200)
  @RequiredScope('test-clock:write')
  @ApiOperation({ summary: 'Freeze business time at an instant, while there is no invoice' })
  @Answers({ schema: testClockSchema, problems: [400, 409, 422] })
  async set(@CurrentPrincipal() principal: Principal, @Body({ schema: testClockSetSchema }) body: { now: string }): Promise<TestClockBody> {
    return toBody(valueOrProblem(await this.testClocks.set(principal.organizationId, businessInstant(body.now)), statuses));
  }

  @Post('advance')
  @HttpCode(200)
  @RequiredScope('test-clock:write')
  @ApiOperation({ summary: 'Advance business time, doing all that is due on the way' })
  @Answers({ schema: testClockAdvancedSchema, problems: [400, 409, 422, 503] })
  async advance(@CurrentPrincipal() principal: Principal, @Body({ schema: testClockAdvanceSchema }) body: { to: string }): Promise<TestClockAdvancedBody> {
    const { now, ran } = valueOrProblem(await this.advanceTestClock.execute(principal.organizationId, businessInstant(body.to)), statuses);
    return { object: 'test_clock', now: instantText(now), status: 'ready', ran };
  }
}

function toBody(testClock: TestClock & { readonly now: Temporal.Instant }): TestClockBody {
  return { object: 'test_clock', now: instantText(testClock.now), status: testClock.status, target: instantText(testClock.target) };
}
