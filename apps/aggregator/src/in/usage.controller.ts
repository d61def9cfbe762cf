import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiQuery, ApiTags } from '@nestjs/swagger';
import {
  customerUsageQuerySchema, customerUsageSchema, meterUsageQuerySchema, meterUsageSchema, type CustomerUsageBody, type CustomerUsageQuery, type MeterUsageBody, type MeterUsageQuery,
} from '#contracts';
import { Answers, asksForCsv, CurrentCall, CurrentPrincipal, RequiredScope, valueOrProblem, type CallContext, type Principal } from '#platform';
import { ReadCustomerUsage, type CustomerUsageCode } from '../read-customer-usage.js';
import { ReadMeterUsage, type MeterUsageCode } from '../read-meter-usage.js';
import { meterUsageCsv } from './meter-usage-csv.js';
import { toMeterUsage } from './reading-bodies.js';

const meterStatuses: Readonly<Record<MeterUsageCode, number>> = { not_found: 404, invalid_request: 422, result_too_large: 422 };
const customerStatuses: Readonly<Record<CustomerUsageCode, number>> = { not_found: 404, invalid_request: 422 };

@ApiTags('usage')
@Controller()
export class UsageController {
  constructor(
    @Inject(ReadMeterUsage) private readonly readMeterUsage: ReadMeterUsage,
    @Inject(ReadCustomerUsage) private readonly readCustomerUsage: ReadCustomerUsage,
  ) {}

  @Get('v1/meters/:meter/usage')
  @RequiredScope('usage:read')
  @ApiOperation({ summary: 'What a meter counted', description: 'All rows, sorted by window, then group. Values are exact; empty windows are left out unless fill=zero. With Accept: text/csv the rows come as CSV, and fresh_as_of in the header Tollway-Fresh-As-Of.' })
  @ApiProduces('application/json', 'text/csv')
  @ApiQuery({ name: 'filter[dimension]', required: false, description: 'Only usage whose dimension has this text, or one of these where it is given several times.' })
  @Answers({ schema: meterUsageSchema, problems: [404, 422] })
  async meter(@CurrentCall() { principal, accept, setHeader }: CallContext, @Param('meter') meter: string, @Query({ schema: meterUsageQuerySchema }) query: MeterUsageQuery): Promise<MeterUsageBody | string> {
    const usage = valueOrProblem(await this.readMeterUsage.execute({ organizationId: principal.organizationId, meter }, query), meterStatuses);
    if (!asksForCsv(accept)) return toMeterUsage(usage);
    setHeader('content-type', 'text/csv; charset=utf-8');
    setHeader('tollway-fresh-as-of', usage.freshAsOf.toString());
    return meterUsageCsv(usage);
  }

  @Get('v1/customers/:customer/usage')
  @RequiredScope('usage:read')
  @ApiOperation({ summary: 'What a customer used, by every meter' })
  @Answers({ schema: customerUsageSchema, problems: [404, 422] })
  async customer(
    @CurrentPrincipal() principal: Principal, @Param('customer') customer: string, @Query({ schema: customerUsageQuerySchema }) query: CustomerUsageQuery,
  ): Promise<CustomerUsageBody> {
    const usage = valueOrProblem(await this.readCustomerUsage.execute({ organizationId: principal.organizationId, customer }, query), customerStatuses);
    return {
      data: usage.totals.map(({ meter, name, unit, value }) => ({ meter: meter.id, meter_key: meter.key, name, aggregation: meter.aggregation, unit, value })),
      customer: usage.customerId,
      from: usage.from.toString(),
      to: usage.to.toString(),
      fresh_as_of: usage.freshAsOf.toString(),
    };
  }
}
