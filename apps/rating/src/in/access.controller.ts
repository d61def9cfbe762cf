import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import { accessQuerySchema, accessSchema, customerEntitlementListSchema, type AccessBody, type AccessQuery, type CustomerEntitlementListBody } from '#contracts';
import { Answers, CurrentPrincipal, RequiredScope, valueOrProblem, type Principal } from '#platform';
import { ReadAccess, type AccessRefusal } from '../read-access.js';
import { toAccessBody, toEntitlementsBody } from './access-bodies.js';

const statuses: Readonly<Record<AccessRefusal, number>> = { not_found: 404, invalid_request: 422 };

@ApiTags('access')
@Controller()
export class AccessController {
  constructor(@Inject(ReadAccess) private readonly readAccess: ReadAccess) {}

  @Get('v1/customers/:customer/entitlements')
  @RequiredScope('usage:read')
  @ApiOperation({ summary: 'What a customer may use at present, and what is left of it', description: 'By the plan versions that its subscriptions are on. Where several grant a feature, the most generous is shown.' })
  @Answers({ schema: customerEntitlementListSchema, problems: [404] })
  async entitlements(@CurrentPrincipal() principal: Principal, @Param('customer') customer: string): Promise<CustomerEntitlementListBody> {
    return toEntitlementsBody(valueOrProblem(await this.readAccess.entitlements({ organizationId: principal.organizationId, customer }), statuses));
  }

  @Get('v1/customers/:customer/access/:feature')
  @ApiParam({ name: 'customer', description: 'Id or key.' })
  @ApiParam({ name: 'feature', description: 'Id or key.' })
  @RequiredScope('usage:read')
  @ApiOperation({
    summary: 'Whether a customer may use a feature now, and what that would cost',
    description: 'Counts nothing and holds nothing: it says what is so by now. Exactly on the limit is allowed. marginal_amount is what the quantity would add to the open period.',
  })
  @ApiQuery({ name: 'group[dimension]', required: false, description: 'A dimension of what would be used, for prices that ask by it.' })
  @Answers({ schema: accessSchema, problems: [404, 422] })
  async access(@CurrentPrincipal() principal: Principal, @Param() at: { customer: string; feature: string }, @Query({ schema: accessQuerySchema }) query: AccessQuery): Promise<AccessBody> {
    return toAccessBody(valueOrProblem(await this.readAccess.access({ organizationId: principal.organizationId, ...at }, query), statuses));
  }
}
