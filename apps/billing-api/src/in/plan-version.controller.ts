import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { planDiffQuerySchema, planDiffSchema, planRaiseSchema, planSchema, type PlanBody, type PlanDiffBody, type PlanRaise } from '#contracts';
import { planDiff } from '#domain';
import { Answers, CurrentPrincipal, RequiredScope, valueOrProblem, type Principal } from '#platform';
import { RaisePlan } from '../raise-plan.js';
import { ReadPlans } from '../read-plans.js';
import { termsOf, toPlanBody } from './plan-bodies.js';
import { planStatuses } from './plan-statuses.js';

@ApiTags('plans')
@Controller('/v1/plans')
export class PlanVersionController {
  constructor(
    private readonly readPlans: ReadPlans,
    private readonly raisePlan: RaisePlan,
  ) {}

  @Get(':id/diff')
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'Compare two versions of a plan, in sentences and in values' })
  @Answers({ schema: planDiffSchema, problems: [404, 422] })
  async diff(@CurrentPrincipal() principal: Principal, @Param('id') reference: string, @Query({ schema: planDiffQuerySchema }) query: z.infer<typeof planDiffQuerySchema>): Promise<PlanDiffBody> {
    const numberOf = (text: string | undefined): number | null => (text === undefined ? null : Number(text));
    const wanted = { reference, from: numberOf(query.from), to: query.to === 'draft' ? ('draft' as const) : numberOf(query.to) };
    const { from, to } = valueOrProblem(await this.readPlans.pair(principal.organizationId, wanted), planStatuses);
    const [{ version: _from, ...before }, { version: _to, ...after }] = [termsOf(from), termsOf(to)];
    return {
      object: 'plan_diff',
      plan: to.planId,
      from: from.version,
      to: to.version === 0 ? 'draft' : to.version,
      differences: planDiff(before, after).map(({ priceKey, ...difference }) => ({ ...difference, price_key: priceKey })),
    };
  }

  @Post(':id/raise')
  @HttpCode(200)
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Make a version of a plan whose amounts are higher, or lower, by a percentage', description: 'Rates, sizes, included units and bounds of tiers stay. Subscriptions stay on their version until they are migrated.' })
  @Answers({ schema: planSchema, problems: [400, 404, 409, 422] })
  async raise(@CurrentPrincipal() principal: Principal, @Param('id') reference: string, @Body({ schema: planRaiseSchema }) input: PlanRaise): Promise<PlanBody> {
    const view = valueOrProblem(await this.raisePlan.execute(principal.organizationId, { reference, input }), planStatuses);
    return toPlanBody(view, await this.readPlans.productKeys(principal.organizationId, [view.plan]));
  }
}
