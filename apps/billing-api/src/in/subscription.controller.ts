import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import {
  previewQuerySchema, subscriptionCreateSchema, subscriptionListQuery, subscriptionListSchema, subscriptionPreviewSchema, subscriptionSchema, subscriptionUpdateSchema,
} from '#contracts';
import type { SubscriptionBody, SubscriptionCreate, SubscriptionPreviewBody, SubscriptionUpdate } from '#contracts';
import { Answers, CurrentCall, CurrentPrincipal, listQuerySchema, RequiredScope, toListPage, valueOrProblem, type CallContext, type ListBody, type Principal } from '#platform';
import { CreateSubscription } from '../create-subscription.js';
import { ReadSubscriptions } from '../read-subscriptions.js';
import { businessInstantOrNull } from './business-instant.js';
import { toListBody } from './list-body.js';
import { commitmentOrUndefined, overridesOrNull, phasesOrNull, quantitiesOrNull } from './subscribed-terms.js';
import { toPreviewBody, toSubscriptionBody } from './subscription-bodies.js';

const statuses: Readonly<Record<'not_found' | 'invalid_request', number>> = { not_found: 404, invalid_request: 422 };
const listSchema = listQuerySchema.extend(subscriptionListQuery);
type PreviewQuery = z.infer<typeof previewQuerySchema>;

@ApiTags('subscriptions')
@Controller('/v1/subscriptions')
export class SubscriptionController {
  constructor(
    private readonly createSubscription: CreateSubscription,
    private readonly readSubscriptions: ReadSubscriptions,
  ) {}

  @Post()
  @RequiredScope('subscriptions:write')
  @ApiOperation({ summary: 'Put a customer on a plan, or with preview=true show what that would mean' })
  @Answers({ status: 201, schema: subscriptionSchema, problems: [400, 409, 422] })
  @Answers({ status: 200, schema: subscriptionPreviewSchema, description: 'The preview.' })
  async create(
    @CurrentCall() { principal, setStatus }: CallContext,
    @Query({ schema: previewQuerySchema }) query: PreviewQuery,
    @Body({ schema: subscriptionCreateSchema }) body: SubscriptionCreate,
  ): Promise<SubscriptionBody | SubscriptionPreviewBody> {
    const terms = { quantities: quantitiesOrNull(body) ?? {}, overrides: overridesOrNull(body) ?? [], minimumCommitment: commitmentOrUndefined(body) ?? null };
    const { phases: _phases, ...rest } = body;
    const input = { ...rest, terms, phases: phasesOrNull(body) ?? [], startAt: businessInstantOrNull(body.start_at), billingAnchor: businessInstantOrNull(body.billing_anchor) };
    if (query.preview !== 'true') {
      return toSubscriptionBody(valueOrProblem(await this.createSubscription.execute(principal.organizationId, input), statuses).view);
    }
    setStatus(200);
    return toPreviewBody({ ...valueOrProblem(await this.createSubscription.preview(principal.organizationId, input), statuses), id: null });
  }

  @Get()
  @RequiredScope('subscriptions:read')
  @ApiOperation({ summary: 'List subscriptions, newest first' })
  @Answers({ schema: subscriptionListSchema, problems: [422] })
  async list(@CurrentPrincipal() principal: Principal, @Query({ schema: listSchema }) query: z.infer<typeof listSchema>): Promise<ListBody<SubscriptionBody>> {
    const filter = { page: toListPage(query), customer: query.customer ?? null, plan: query.plan ?? null, status: query.status ?? null };
    return toListBody(await this.readSubscriptions.list(principal.organizationId, filter), toSubscriptionBody);
  }

  @Get(':id')
  @RequiredScope('subscriptions:read')
  @ApiOperation({ summary: 'Read a subscription' })
  @Answers({ schema: subscriptionSchema, problems: [404] })
  async read(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<SubscriptionBody> {
    return toSubscriptionBody(valueOrProblem(await this.readSubscriptions.find({ organizationId: principal.organizationId, id }), statuses));
  }

  @Patch(':id')
  @RequiredScope('subscriptions:write')
  @ApiOperation({ summary: 'Change the metadata of a subscription' })
  @Answers({ schema: subscriptionSchema, problems: [400, 404, 422] })
  async update(@CurrentPrincipal() principal: Principal, @Param('id') id: string, @Body({ schema: subscriptionUpdateSchema }) body: SubscriptionUpdate): Promise<SubscriptionBody> {
    return toSubscriptionBody(valueOrProblem(await this.readSubscriptions.changeMetadata(principal.organizationId, { id, metadata: body.metadata }), statuses));
  }
}
