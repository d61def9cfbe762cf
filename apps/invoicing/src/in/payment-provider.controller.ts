import { Body, Controller, Get, Inject, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { paymentProviderSchema, paymentProviderSetSchema, type PaymentProviderBody, type PaymentProviderSet } from '#contracts';
import { Answers, CurrentPrincipal, RequiredScope, valueOrProblem, type Principal } from '#platform';
import { ConnectPaymentProvider, type ConnectCode, type ConnectionView } from '../connect-payment-provider.js';

const statuses: Readonly<Record<ConnectCode, number>> = {
  sandbox_in_live_mode: 422, api_base_not_allowed: 422, live_key_in_test_mode: 422, test_key_in_live_mode: 422,
};

@ApiTags('organization')
@Controller()
export class PaymentProviderController {
  constructor(@Inject(ConnectPaymentProvider) private readonly connectPaymentProvider: ConnectPaymentProvider) {}

  @Get('v1/organization/payment-provider')
  @RequiredScope('organization:read')
  @ApiOperation({ summary: 'Read how the organization is connected to its payment provider', description: 'Secrets are never read back.' })
  @Answers({ schema: paymentProviderSchema })
  async read(@CurrentPrincipal() principal: Principal): Promise<PaymentProviderBody> {
    return toBody(await this.connectPaymentProvider.read(principal.organizationId));
  }

  @Put('v1/organization/payment-provider')
  @RequiredScope('organization:write')
  @ApiOperation({ summary: 'Connect the organization to a payment provider', description: 'Replaces the connection. Secrets are stored encrypted.' })
  @Answers({ schema: paymentProviderSchema, problems: [400, 422] })
  async connect(@CurrentPrincipal() principal: Principal, @Body({ schema: paymentProviderSetSchema }) body: PaymentProviderSet): Promise<PaymentProviderBody> {
    const connection = body.provider === 'stripe'
      ? { provider: body.provider, apiKey: body.api_key, webhookSecret: body.webhook_secret, apiBase: body.api_base ?? null }
      : { provider: body.provider, apiKey: null, webhookSecret: null, apiBase: null };
    return toBody(valueOrProblem(await this.connectPaymentProvider.connect(principal.organizationId, connection), statuses));
  }
}

function toBody(view: ConnectionView): PaymentProviderBody {
  return {
    object: 'payment_provider',
    provider: view.provider,
    source: view.source,
    api_base: view.apiBase,
    api_key_set: view.hasApiKey,
    webhook_secret_set: view.hasWebhookSecret,
    webhook_path: view.webhookPath,
    updated_at: view.updatedAt?.toString() ?? null,
  };
}
