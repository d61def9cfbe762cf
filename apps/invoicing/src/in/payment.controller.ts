import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { paymentCreateSchema, paymentListSchema, paymentSchema, type PaymentBody, type PaymentCreate } from '#contracts';
import { formatMinor } from '#domain';
import type { StoredPayment } from '#persistence';
import { Answers, CurrentPrincipal, listQuerySchema, notFound, RequiredScope, toListPage, valueOrProblem, type ListBody, type Principal } from '#platform';
import { RecordPayment, type RecordCode } from '../record-payment.js';

const recordStatuses: Readonly<Record<RecordCode, number>> = {
  not_found: 404, invalid_request: 422, invalid_state: 409, payment_in_progress: 409, partial_payment_unsupported: 409, provider_refused: 409, provider_unavailable: 503,
};

@ApiTags('invoices')
@Controller('v1/invoices/:id/payments')
export class PaymentController {
  constructor(@Inject(RecordPayment) private readonly recordPayment: RecordPayment) {}

  @Post()
  @HttpCode(201)
  @RequiredScope('invoices:write')
  @ApiOperation({
    summary: 'Record a payment that came another way, such as a bank transfer',
    description: 'All that remains, or a part of it. A payment provider that has the invoice is told that it is paid. Stripe would still ask for the whole amount, so a part can not be recorded where invoices go to Stripe.',
  })
  @Answers({ status: 201, schema: paymentSchema, problems: [404, 409, 422, 503] })
  async record(@CurrentPrincipal() principal: Principal, @Param('id') id: string, @Body({ schema: paymentCreateSchema }) body: PaymentCreate): Promise<PaymentBody> {
    return toBody(valueOrProblem(await this.recordPayment.execute({ organizationId: principal.organizationId, id }, body), recordStatuses));
  }

  @Get()
  @RequiredScope('invoices:read')
  @ApiOperation({ summary: "List an invoice's payments and the tries to take one", description: 'The latest first.' })
  @Answers({ schema: paymentListSchema, problems: [404, 422] })
  async list(@CurrentPrincipal() principal: Principal, @Param('id') id: string, @Query({ schema: listQuerySchema }) query: z.infer<typeof listQuerySchema>): Promise<ListBody<PaymentBody>> {
    const found = await this.recordPayment.list({ organizationId: principal.organizationId, id }, toListPage(query));
    if (found === null) throw notFound('invoice');
    return { data: found.items.map(toBody), has_more: found.hasMore };
  }
}

function toBody(payment: StoredPayment): PaymentBody {
  return {
    id: payment.id,
    object: 'payment',
    invoice: payment.invoiceId,
    provider: payment.provider,
    status: payment.status,
    amount: formatMinor(payment.amountMinor, payment.currency),
    currency: payment.currency,
    method: payment.method,
    reference: payment.reference,
    paid_at: payment.at.toString(),
    failure: payment.failureCode === null ? null : { code: payment.failureCode, detail: payment.failureDetail ?? '' },
    created_at: payment.createdAt.toString(),
    metadata: { ...payment.metadata },
  };
}
