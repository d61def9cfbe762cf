import { Body, Controller, Get, HttpCode, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import {
  archivedQuery, planCreateSchema, planListSchema, planReplaceSchema, planSchema, planUpdateSchema, planVersionListSchema, planVersionQuerySchema,
} from '#contracts';
import type { PlanBody, PlanReplace, PlanUpdate, PlanVersionBody } from '#contracts';
import { Answers, CurrentCall, CurrentPrincipal, listQuerySchema, RequiredScope, toListPage, valueOrProblem, type CallContext, type ListBody, type Principal } from '#platform';
import { Plans, type PlanView } from '../plans.js';
import { ReadPlans } from '../read-plans.js';
import { toListBody } from './list-body.js';
import { toPlanBody, toPlanVersionBody } from './plan-bodies.js';
import { planStatuses } from './plan-statuses.js';

const listSchema = listQuerySchema.extend(archivedQuery);
const versionsSchema = listQuerySchema.omit({ ending_before: true });

@ApiTags('plans')
@Controller('/v1/plans')
export class PlanController {
  constructor(
    private readonly plans: Plans,
    private readonly readPlans: ReadPlans,
  ) {}

  @Post()
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Create a plan in version 1' })
  @Answers({ status: 201, schema: planSchema, problems: [400, 409, 422] })
  async create(@CurrentPrincipal() principal: Principal, @Body({ schema: planCreateSchema }) body: PlanReplace & { key: string }): Promise<PlanBody> {
    return this.body(principal, valueOrProblem(await this.plans.create(principal.organizationId, body), planStatuses));
  }

  @Get()
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'List plans in their latest versions, newest first' })
  @Answers({ schema: planListSchema, problems: [422] })
  async list(@CurrentPrincipal() principal: Principal, @Query({ schema: listSchema }) query: z.infer<typeof listSchema>): Promise<ListBody<PlanBody>> {
    const page = await this.readPlans.list(principal.organizationId, { page: toListPage(query), includeArchived: query.include_archived === 'true' });
    const productKeys = await this.readPlans.productKeys(principal.organizationId, page.items.map(({ plan }) => plan));
    return toListBody(page, (view) => toPlanBody(view, productKeys));
  }

  @Get(':id')
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'Read a plan by id or key, in its latest version or in another' })
  @Answers({ schema: planSchema, problems: [404, 422] })
  async read(@CurrentPrincipal() principal: Principal, @Param('id') reference: string, @Query({ schema: planVersionQuerySchema }) query: { version?: string }): Promise<PlanBody> {
    const version = query.version === undefined ? null : Number(query.version);
    return this.body(principal, valueOrProblem(await this.readPlans.find(principal.organizationId, { reference, version }), planStatuses));
  }

  @Get(':id/versions')
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'List the versions of a plan, newest first; starting_after takes a version' })
  @Answers({ schema: planVersionListSchema, problems: [404, 422] })
  async versions(@CurrentPrincipal() principal: Principal, @Param('id') reference: string, @Query({ schema: versionsSchema }) query: z.infer<typeof versionsSchema>): Promise<ListBody<PlanVersionBody>> {
    return toListBody(valueOrProblem(await this.readPlans.versions(principal.organizationId, { reference, page: toListPage(query) }), planStatuses), toPlanVersionBody);
  }

  @Put(':id')
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Create or replace a plan by key; other terms make a new version' })
  @Answers({ schema: planSchema, problems: [400, 404, 422] })
  @Answers({ status: 201, schema: planSchema, description: 'There was none with this key.' })
  async replace(
    @CurrentCall() { principal, setStatus }: CallContext,
    @Param('id') reference: string,
    @Body({ schema: planReplaceSchema }) input: PlanReplace,
  ): Promise<PlanBody> {
    const { view, isNew } = valueOrProblem(await this.plans.replace(principal.organizationId, { reference, input }), planStatuses);
    setStatus(isNew ? 201 : 200);
    return this.body(principal, view);
  }

  @Patch(':id')
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Change some fields of a plan; other terms make a new version' })
  @Answers({ schema: planSchema, problems: [400, 404, 409, 422] })
  async update(@CurrentPrincipal() principal: Principal, @Param('id') reference: string, @Body({ schema: planUpdateSchema }) change: PlanUpdate): Promise<PlanBody> {
    return this.body(principal, valueOrProblem(await this.plans.update(principal.organizationId, { reference, change }), planStatuses));
  }

  @Post(':id/archive')
  @HttpCode(200)
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Archive a plan: no new subscriptions, the present ones go on' })
  @Answers({ schema: planSchema, problems: [404] })
  async archive(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<PlanBody> {
    return this.body(principal, valueOrProblem(await this.plans.archive({ organizationId: principal.organizationId, reference: id }), planStatuses));
  }

  private async body(principal: Principal, view: PlanView): Promise<PlanBody> {
    return toPlanBody(view, await this.readPlans.productKeys(principal.organizationId, [view.plan]));
  }
}
