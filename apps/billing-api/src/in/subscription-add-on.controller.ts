import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import {
  includeEndedQuery, previewQuerySchema, subscriptionAddOnChangeSchema, subscriptionAddOnCreateSchema, subscriptionAddOnListSchema, subscriptionAddOnRemoveSchema, subscriptionPreviewSchema, subscriptionSchema,
} from '#contracts';
import type { SubscriptionAddOnBody, SubscriptionBody, SubscriptionPreviewBody } from '#contracts';
import { canonicalDecimal } from '#domain';
import { Answers, CurrentCall, CurrentPrincipal, RequiredScope, valueOrProblem, type CallContext, type ListBody, type Outcome, type Principal } from '#platform';
import type { AddOnActRefusal } from '../act-on-add-on.js';
import type { ActedSubscription } from '../hold-subscription.js';
import { ReadSubscriptions } from '../read-subscriptions.js';
import { SubscriptionAddOns } from '../subscription-add-ons.js';
import { toSubscriptionAddOns } from './add-on-bodies.js';
import { toPreviewBody, toSubscriptionBody } from './subscription-bodies.js';

const statuses: Readonly<Record<AddOnActRefusal, number>> = { not_found: 404, already_canceled: 409, already_added: 409, required_by: 409, too_many_add_ons: 409, invalid_request: 422 };
const answersSchema = subscriptionSchema.or(subscriptionPreviewSchema);
type PreviewQuery = z.infer<typeof previewQuerySchema>;

/** Add-ons as one subscription has them. */
@ApiTags('subscriptions')
@Controller('/v1/subscriptions')
export class SubscriptionAddOnController {
  constructor(
    private readonly subscriptionAddOns: SubscriptionAddOns,
    private readonly readSubscriptions: ReadSubscriptions,
  ) {}

  @Get(':id/add-ons')
  @RequiredScope('subscriptions:read')
  @ApiOperation({ summary: 'List the add-ons of a subscription in the order in which they were added' })
  @Answers({ schema: subscriptionAddOnListSchema, problems: [404, 422] })
  async list(@CurrentPrincipal() principal: Principal, @Param('id') id: string, @Query({ schema: includeEndedQuery }) query: z.infer<typeof includeEndedQuery>): Promise<ListBody<SubscriptionAddOnBody>> {
    const view = valueOrProblem(await this.readSubscriptions.find({ organizationId: principal.organizationId, id }), statuses);
    return { data: toSubscriptionAddOns(view, { includeEnded: query.include_ended === 'true' }), has_more: false };
  }

  @Post(':id/add-ons')
  @RequiredScope('subscriptions:write')
  @ApiOperation({
    summary: 'Add an add-on to a subscription, or with preview=true show what that would mean',
    description: 'The plan\u2019s period goes on as it was. What the add-on owes for the rest of it stands on the next invoice; the preview shows what it puts there.',
  })
  @Answers({ status: 201, schema: subscriptionSchema, problems: [400, 404, 409, 422] })
  @Answers({ status: 200, schema: subscriptionPreviewSchema, description: 'The preview.' })
  @ApiParam({ name: 'id', type: String })
  async add(
    @CurrentCall() { principal, params, setStatus }: CallContext,
    @Query({ schema: previewQuerySchema }) query: PreviewQuery,
    @Body({ schema: subscriptionAddOnCreateSchema }) body: z.infer<typeof subscriptionAddOnCreateSchema>,
  ): Promise<SubscriptionBody | SubscriptionPreviewBody> {
    const isPreview = query.preview === 'true';
    const input = { addOn: body.add_on, version: body.version ?? null, quantity: quantityOf(body.quantity ?? '1'), when: body.when ?? 'now', isProrated: body.prorate ?? true, isPreview };
    const answer = this.answer(await this.subscriptionAddOns.add(principal.organizationId, { id: params['id'] ?? '', input }), isPreview);
    if (isPreview) setStatus(200);
    return answer;
  }

  @Post(':id/add-ons/:addOn')
  @HttpCode(200)
  @RequiredScope('subscriptions:write')
  @ApiOperation({
    summary: 'Change how many of an add-on a subscription has, or which version of it, or with preview=true show what that would mean',
    description: 'What was set for later is replaced, its removal and another version included: so these are taken back. Another version begins with the next period, and what is owed once is not owed again.',
  })
  @Answers({ schema: answersSchema, problems: [400, 404, 409, 422] })
  @ApiParam({ name: 'id', type: String })
  @ApiParam({ name: 'addOn', type: String, description: 'Id or key of the add-on.' })
  async change(
    @CurrentCall() { principal, params }: CallContext,
    @Query({ schema: previewQuerySchema }) query: PreviewQuery,
    @Body({ schema: subscriptionAddOnChangeSchema }) body: z.infer<typeof subscriptionAddOnChangeSchema>,
  ): Promise<SubscriptionBody | SubscriptionPreviewBody> {
    const isPreview = query.preview === 'true';
    const input = { version: body.version ?? null, quantity: body.quantity === undefined ? null : quantityOf(body.quantity), when: body.when, isProrated: body.prorate ?? true, isPreview };
    return this.answer(await this.subscriptionAddOns.change(principal.organizationId, { id: params['id'] ?? '', addOn: params['addOn'] ?? '', input }), isPreview);
  }

  @Post(':id/add-ons/:addOn/remove')
  @HttpCode(200)
  @RequiredScope('subscriptions:write')
  @ApiOperation({ summary: 'Remove an add-on from a subscription now or at the end of the period, or with preview=true show what that would mean' })
  @Answers({ schema: answersSchema, problems: [400, 404, 409, 422] })
  @ApiParam({ name: 'id', type: String })
  @ApiParam({ name: 'addOn', type: String, description: 'Id or key of the add-on.' })
  async remove(
    @CurrentCall() { principal, params }: CallContext,
    @Query({ schema: previewQuerySchema }) query: PreviewQuery,
    @Body({ schema: subscriptionAddOnRemoveSchema }) body: z.infer<typeof subscriptionAddOnRemoveSchema>,
  ): Promise<SubscriptionBody | SubscriptionPreviewBody> {
    const isPreview = query.preview === 'true';
    const input = { when: body.when, isProrated: body.prorate ?? true, isPreview };
    return this.answer(await this.subscriptionAddOns.remove(principal.organizationId, { id: params['id'] ?? '', addOn: params['addOn'] ?? '', input }), isPreview);
  }

  private answer(outcome: Outcome<ActedSubscription, AddOnActRefusal>, isPreview: boolean): SubscriptionBody | SubscriptionPreviewBody {
    const { view, period, fees } = valueOrProblem(outcome, statuses);
    return isPreview ? toPreviewBody({ view, id: view.subscription.id, periods: period === null ? [] : [period], fees }) : toSubscriptionBody(view);
  }
}

/** A decimal in its one form; text that is none stays as it is, to be refused by name. */
function quantityOf(given: string | number): string {
  return canonicalDecimal(String(given)) ?? String(given);
}
