import { Body, Controller, Get, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { ratedUsageQuerySchema, ratedUsageSchema, simulatedPriceBodySchema, type RatedUsageBody, type RatedUsageQuery } from '#contracts';
import { formatMinor, simulationSchema, type SimulatedPrice, type Simulation } from '#domain';
import { Answers, asksForCsv, CurrentCall, CurrentPrincipal, RequiredScope, valueOrProblem, type CallContext, type Principal } from '#platform';
import type { RatedUsageRow } from '#persistence';
import { ratedUsageCsv } from './rated-usage-csv.js';
import { ratedUsageGroupsOf, ReportRatedUsage, type RatedUsageReport, type ReportCode } from '../report-rated-usage.js';
import { SimulatePrice, type SimulateCode } from '../simulate-price-command.js';

const simulateStatuses: Readonly<Record<SimulateCode, number>> = { invalid_request: 422 };
const reportStatuses: Readonly<Record<ReportCode, number>> = { invalid_request: 422, result_too_large: 422 };

@ApiTags('rating')
@Controller()
export class RatingController {
  constructor(
    @Inject(SimulatePrice) private readonly simulatePrice: SimulatePrice,
    @Inject(ReportRatedUsage) private readonly reportRatedUsage: ReportRatedUsage,
  ) {}

  @Post('v1/pricing/simulate')
  @HttpCode(200)
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'Try a price out on a quantity or on events', description: 'Stores nothing. The trace gives each step in words and numbers.' })
  @Answers({ schema: simulatedPriceBodySchema, problems: [400, 422] })
  async simulate(@CurrentPrincipal() principal: Principal, @Body({ schema: simulationSchema }) body: Simulation): Promise<SimulatedPrice> {
    return valueOrProblem(await this.simulatePrice.execute(principal.organizationId, body), simulateStatuses);
  }

  @Get('v1/rated-usage')
  @RequiredScope('finance:read')
  @ApiOperation({
    summary: 'What was earned, by customer, plan, price and local day',
    description: 'Days sum to the period exactly; those of a closed period never change. With Accept: text/csv the rows come as CSV, and complete_as_of in the header Tollway-Complete-As-Of.',
  })
  @ApiProduces('application/json', 'text/csv')
  @Answers({ schema: ratedUsageSchema, problems: [422] })
  async report(@CurrentCall() { principal, accept, setHeader }: CallContext, @Query({ schema: ratedUsageQuerySchema }) query: RatedUsageQuery): Promise<RatedUsageBody | string> {
    const body = toBody(valueOrProblem(await this.reportRatedUsage.execute(principal.organizationId, query), reportStatuses));
    if (!asksForCsv(accept)) return body;
    setHeader('content-type', 'text/csv; charset=utf-8');
    setHeader('tollway-complete-as-of', body.complete_as_of);
    return ratedUsageCsv(body, ratedUsageGroupsOf(query));
  }
}

function toBody(report: RatedUsageReport): RatedUsageBody {
  const totals = new Map<string, bigint>();
  for (const row of report.rows) totals.set(row.currency, (totals.get(row.currency) ?? 0n) + row.amountMinor);
  return {
    data: report.rows.map(toRow),
    total: Object.fromEntries([...totals].map(([currency, minor]) => [currency, formatMinor(minor, currency)])),
    complete_as_of: report.completeAsOf.toString(),
  };
}

function toRow(row: RatedUsageRow): RatedUsageBody['data'][number] {
  return {
    ...(row.customer === undefined ? {} : { customer: row.customer.id, customer_key: row.customer.key }),
    ...(row.plan === undefined ? {} : { plan: row.plan.id, plan_key: row.plan.key }),
    ...(row.price === undefined ? {} : { price: row.price?.id ?? null, price_key: row.price?.key ?? null }),
    ...(row.day === undefined ? {} : { day: row.day }),
    quantity: row.quantity,
    amount: formatMinor(row.amountMinor, row.currency),
    currency: row.currency,
    state: row.state,
    ...(row.adjusts === undefined ? {} : { adjusts: { start: row.adjusts.start.toString(), end: row.adjusts.end.toString() } }),
  };
}
