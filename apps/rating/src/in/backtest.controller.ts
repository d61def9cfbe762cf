import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { backtestBodySchema, backtestSchema, type BacktestBody, type BacktestRequest } from '#contracts';
import { formatMinor, toPlain } from '#domain';
import { Answers, CurrentPrincipal, RequiredScope, valueOrProblem, type Principal } from '#platform';
import type { BacktestBreakEven } from '../backtest-break-even.js';
import { BacktestPlan, type Backtest, type BacktestCode } from '../backtest-plan.js';
import { cheaperBody } from './cheaper-body.js';

const statuses: Readonly<Record<BacktestCode, number>> = { invalid_request: 422, result_too_large: 422 };

@ApiTags('rating')
@Controller()
export class BacktestController {
  constructor(@Inject(BacktestPlan) private readonly backtestPlan: BacktestPlan) {}

  @Post('v1/pricing/backtest')
  @HttpCode(200)
  @RequiredScope('finance:read')
  @ApiOperation({
    summary: 'What a plan would have earned on real usage, and who would pay more or less',
    description:
      'Replays the range under the plan as if each customer had begun on it at the range\u2019s start, and under the plan that the customer was on last in it, in the same way. Fees count for the time that the range covers; one-time prices are left out. Stores nothing.',
  })
  @Answers({ schema: backtestBodySchema, problems: [400, 422] })
  async backtest(@CurrentPrincipal() principal: Principal, @Body({ schema: backtestSchema }) body: BacktestRequest): Promise<BacktestBody> {
    return toBody(valueOrProblem(await this.backtestPlan.execute(principal.organizationId, body), statuses));
  }
}

function toBody(backtest: Backtest): BacktestBody {
  const { currency, summary } = backtest;
  const money = (minor: bigint): string => formatMinor(minor, currency);
  const { distribution, compared } = summary;
  return {
    object: 'backtest',
    currency,
    from: backtest.from.toString(),
    to: backtest.to.toString(),
    complete_as_of: backtest.completeAsOf.toString(),
    periods: backtest.periods,
    total: {
      plan: money(summary.planMinor),
      compared: { plan: money(compared.planMinor), current: money(compared.currentMinor), difference: money(compared.planMinor - compared.currentMinor) },
    },
    pay_less: summary.payLess,
    pay_more: summary.payMore,
    pay_the_same: summary.payTheSame,
    distribution:
      distribution === null
        ? null
        : {
            minimum: money(distribution.minimum), p25: money(distribution.p25), median: money(distribution.median), p75: money(distribution.p75), p95: money(distribution.p95),
            maximum: money(distribution.maximum),
          },
    customers: backtest.customers.map((customer) => ({
      customer: customer.customerId,
      customer_key: customer.customerKey,
      plan: money(customer.planMinor),
      current: customer.currentMinor === null ? null : money(customer.currentMinor),
      current_plans: [...customer.currentPlans],
      difference: customer.currentMinor === null ? null : money(customer.planMinor - customer.currentMinor),
      prices: customer.prices.map(({ priceKey, quantity, amountMinor }) => ({ price_key: priceKey, quantity, amount: money(amountMinor) })),
    })),
    break_even: backtest.breakEven.comparisons.map((compared) => breakEvenBody(compared, currency)),
    break_even_left_out: backtest.breakEven.leftOut,
    skipped: backtest.skipped.map(({ customerId, detail }) => ({ customer: customerId, detail })),
  };
}

function breakEvenBody(compared: BacktestBreakEven, currency: string): BacktestBody['break_even'][number] {
  const { current, customers, meter, meanQuantity, usage, quantities, found, notCompared } = compared;
  return {
    current_plan: current.planKey,
    current_version: current.version,
    customers,
    meter,
    mean_quantity: toPlain(meanQuantity),
    usage: Object.fromEntries([...usage].map(([other, quantity]) => [other, { quantity }])),
    quantities: Object.fromEntries(quantities),
    step: found === null ? null : toPlain(found.step),
    to_quantity: found === null || found.to === null ? null : toPlain(found.to),
    ...(found === null ? { ranges: [], points: [] } : cheaperBody(found, currency)),
    not_compared: [...notCompared],
  };
}
