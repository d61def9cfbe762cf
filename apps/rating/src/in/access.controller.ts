import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { customerEntitlementListSchema, type CustomerEntitlementListBody } from '#contracts';
import { Answers, CurrentPrincipal, RequiredScope, valueOrProblem, type Principal } from '#platform';
import { ReadAccess } from '../read-access.js';
import { toEntitlementsBody } from './access-bodies.js';
import { accessStatuses } from './access-route.js';

@ApiTags('access')
@Controller()
export class AccessController {
  constructor(@Inject(ReadAccess) private readonly readAccess: ReadAccess) {}

  @Get('v1/customers/:customer/entitlements')
  @RequiredScope('usage:read')
  @ApiOperation({ summary: 'What a customer may use at present, and what is left of it', description: 'By the plan versions that its subscriptions are on. Where several grant a feature, the most generous is shown.' })
  @Answers({ schema: customerEntitlementListSchema, problems: [404] })
  async entitlements(@CurrentPrincipal() principal: Principal, @Param('customer') customer: string): Promise<CustomerEntitlementListBody> {
    return toEntitlementsBody(valueOrProblem(await this.readAccess.entitlements({ organizationId: principal.organizationId, customer }), accessStatuses));
  }
}
