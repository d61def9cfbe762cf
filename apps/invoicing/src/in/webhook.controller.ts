import { Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Answers, IgnoresIdempotencyKey, Public, rawBodyOf, valueOrProblem } from '#platform';
import { ReceiveWebhook, type WebhookCode, type WebhookResult } from '../receive-webhook.js';

const statuses: Readonly<Record<WebhookCode, number>> = { not_found: 404, signature_invalid: 400, body_unreadable: 400, provider_unavailable: 503 };

@ApiTags('webhooks')
@Controller()
@IgnoresIdempotencyKey()
export class WebhookController {
  constructor(@Inject(ReceiveWebhook) private readonly receiveWebhook: ReceiveWebhook) {}

  @Post('v1/webhooks/stripe')
  @HttpCode(200)
  @Public()
  @ApiOperation({ summary: 'Where Stripe sends the events of the bootstrap organization', description: 'Proves itself by its signature. Repeated and reordered events do no harm.' })
  @Answers({ problems: [400, 404, 503] })
  async bootstrap(@Req() request: FastifyRequest): Promise<WebhookResult> {
    return this.receive(request, null);
  }

  @Post('v1/webhooks/stripe/:organization')
  @HttpCode(200)
  @Public()
  @ApiOperation({ summary: "Where Stripe sends an organization's events", description: 'Proves itself by its signature. Repeated and reordered events do no harm.' })
  @Answers({ problems: [400, 404, 503] })
  async ofOrganization(@Req() request: FastifyRequest, @Param('organization') organization: string): Promise<WebhookResult> {
    return this.receive(request, organization);
  }

  private async receive(request: FastifyRequest, organization: string | null): Promise<WebhookResult> {
    return valueOrProblem(await this.receiveWebhook.execute({ rawBody: rawBodyOf(request), headers: request.headers }, organization), statuses);
  }
}
