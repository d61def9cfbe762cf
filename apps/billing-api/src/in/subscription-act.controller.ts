import { Body, Controller, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { previewQuerySchema, subscriptionCancelSchema, subscriptionChangeSchema, subscriptionPreviewSchema, subscriptionSchema } from '#contracts';
import type { SubscriptionBody, SubscriptionCancel, SubscriptionChange, SubscriptionPreviewBody } from '#contracts';
import { Answers, CurrentCall, RequiredScope, valueOrProblem, type CallContext } from '#platform';
import { CancelSubscription, type CancelRefusal } from '../cancel-subscription.js';
import { ChangeSubscription, type ChangeRefusal } from '../change-subscription.js';
import { commitmentOrUndefined, overridesOrNull, phasesOrNull, quantitiesOrNull } from './subscribed-terms.js';
import { toPreviewBody, toSubscriptionBody } from './subscription-bodies.js';

const statuses: Readonly<Record<CancelRefusal | ChangeRefusal, number>> = { not_found: 404, already_canceled: 409, too_many_changes: 409, has_phases: 409, invalid_request: 422 };
const answersSchema = subscriptionSchema.or(subscriptionPreviewSchema);
type PreviewQuery = z.infer<typeof previewQuerySchema>;

/** What happens to a subscription once it is there. */
@ApiTags('subscriptions')
@Controller('/v1/subscriptions')
export class SubscriptionActController {
  constructor(
    private readonly changeSubscription: ChangeSubscription,
    private readonly cancelSubscription: CancelSubscription,
  ) {}

  @Post(':id/change')
  @HttpCode(200)
  @RequiredScope('subscriptions:write')
  @ApiOperation({
    summary: 'Put a subscription on another plan, version, quantities, overrides or minimum commitment, or with preview=true show what that would mean',
    description: 'A change now ends the period: usage is split at the instant, and each plan rates its part. What was set to change later is replaced; where phases lie ahead, the change says which are to follow it.',
  })
  @Answers({ schema: answersSchema, problems: [400, 404, 409, 422] })
  @ApiParam({ name: 'id', type: String })
  async change(
    @CurrentCall() { principal, params }: CallContext,
    @Query({ schema: previewQuerySchema }) query: PreviewQuery,
    @Body({ schema: subscriptionChangeSchema }) body: SubscriptionChange,
  ): Promise<SubscriptionBody | SubscriptionPreviewBody> {
    const { organizationId } = principal;
    const { id = '' } = params;
    const input = {
      plan: body.plan ?? null, version: body.version ?? null, quantities: quantitiesOrNull(body), overrides: overridesOrNull(body),
      minimumCommitment: commitmentOrUndefined(body), phases: phasesOrNull(body), when: body.when, isProrated: body.prorate ?? true,
    };
    if (query.preview !== 'true') return toSubscriptionBody(valueOrProblem(await this.changeSubscription.execute(organizationId, { id, input }), statuses).view);
    const { view, period, fees } = valueOrProblem(await this.changeSubscription.preview(organizationId, { id, input }), statuses);
    return toPreviewBody({ view, id, periods: period === null ? [] : [period], fees });
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @RequiredScope('subscriptions:write')
  @ApiOperation({ summary: 'Cancel a subscription now or at the end of its period, or with preview=true show what that would mean' })
  @Answers({ schema: answersSchema, problems: [400, 404, 409, 422] })
  @ApiParam({ name: 'id', type: String })
  async cancel(
    @CurrentCall() { principal, params }: CallContext,
    @Query({ schema: previewQuerySchema }) query: PreviewQuery,
    @Body({ schema: subscriptionCancelSchema }) input: SubscriptionCancel,
  ): Promise<SubscriptionBody | SubscriptionPreviewBody> {
    const { organizationId } = principal;
    const { id = '' } = params;
    if (query.preview !== 'true') return toSubscriptionBody(valueOrProblem(await this.cancelSubscription.execute(organizationId, { id, input }), statuses).view);
    const { view, period, fees } = valueOrProblem(await this.cancelSubscription.preview(organizationId, { id, input }), statuses);
    return toPreviewBody({ view, id, periods: period === null ? [] : [period], fees });
  }
}
