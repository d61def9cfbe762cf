import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { planDraftInputSchema, planDraftSchema, planSchema, type PlanBody, type PlanDraftBody, type PlanDraftInput } from '#contracts';
import { Answers, CurrentCall, CurrentPrincipal, RequiredScope, valueOrProblem, type CallContext, type Principal } from '#platform';
import { PlanDrafts, type PlanDraftView } from '../plan-drafts.js';
import { ReadPlans } from '../read-plans.js';
import { toPlanBody, toPlanDraftBody } from './plan-bodies.js';
import { planStatuses } from './plan-statuses.js';

@ApiTags('plans')
@Controller('/v1/plans')
export class PlanDraftController {
  constructor(
    private readonly planDrafts: PlanDrafts,
    private readonly readPlans: ReadPlans,
  ) {}

  @Put(':id/draft')
  @RequiredScope('catalog:write')
  @ApiOperation({
    summary: 'Create or replace the draft of a plan\u2019s next version',
    description: 'A plan that there is not begins with its draft. No subscription can be on a draft. Name, product and metadata are the plan\u2019s and change at once; left out, they stay.',
  })
  @Answers({ schema: planDraftSchema, problems: [400, 404, 422] })
  @Answers({ status: 201, schema: planDraftSchema, description: 'There was no draft.' })
  @ApiParam({ name: 'id', type: String })
  async replace(@CurrentCall() { principal, params, setStatus }: CallContext, @Body({ schema: planDraftInputSchema }) input: PlanDraftInput): Promise<PlanDraftBody> {
    const { view, isNew } = valueOrProblem(await this.planDrafts.replace(principal.organizationId, { reference: params['id'] ?? '', input }), planStatuses);
    setStatus(isNew ? 201 : 200);
    return this.body(principal, view);
  }

  @Get(':id/draft')
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'Read the draft of a plan' })
  @Answers({ schema: planDraftSchema, problems: [404] })
  async read(@CurrentPrincipal() principal: Principal, @Param('id') reference: string): Promise<PlanDraftBody> {
    return this.body(principal, valueOrProblem(await this.planDrafts.find({ organizationId: principal.organizationId, reference }), planStatuses));
  }

  @Delete(':id/draft')
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Discard the draft of a published plan; answers with the plan as it is published' })
  @Answers({ schema: planSchema, problems: [404, 409] })
  async discard(@CurrentPrincipal() principal: Principal, @Param('id') reference: string): Promise<PlanBody> {
    const view = valueOrProblem(await this.planDrafts.discard({ organizationId: principal.organizationId, reference }), planStatuses);
    return toPlanBody(view, await this.readPlans.productKeys(principal.organizationId, [view.plan]));
  }

  @Post(':id/publish')
  @HttpCode(200)
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Make a plan\u2019s draft its next version', description: 'The version never changes from then on. Subscriptions stay on theirs until they are migrated. A draft that says what the latest version says makes none.' })
  @Answers({ schema: planSchema, problems: [404, 409, 422] })
  async publish(@CurrentPrincipal() principal: Principal, @Param('id') reference: string): Promise<PlanBody> {
    const view = valueOrProblem(await this.planDrafts.publish({ organizationId: principal.organizationId, reference }), planStatuses);
    return toPlanBody(view, await this.readPlans.productKeys(principal.organizationId, [view.plan]));
  }

  private async body(principal: Principal, view: PlanDraftView): Promise<PlanDraftBody> {
    return toPlanDraftBody(view, await this.readPlans.productKeys(principal.organizationId, [view.plan]));
  }
}
