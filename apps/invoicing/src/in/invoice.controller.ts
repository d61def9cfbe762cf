import { Controller, Get, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { invoiceListQuery, invoiceListSchema, invoiceSchema, upcomingInvoiceQuerySchema, upcomingInvoiceSchema, type InvoiceBody, type UpcomingInvoiceBody, type UpcomingInvoiceQuery } from '#contracts';
import { Answers, CurrentPrincipal, listQuerySchema, notFound, RequiredScope, toListPage, valueOrProblem, type ListBody, type Principal } from '#platform';
import { ChangeInvoice, type ChangeCode, type InvoiceKey } from '../change-invoice.js';
import { FindInvoices } from '../find-invoices.js';
import { PreviewUpcomingInvoice, type UpcomingCode } from '../preview-upcoming-invoice.js';
import { toInvoiceBody, toUpcomingBody } from './invoice-bodies.js';

const invoiceListQuerySchema = listQuerySchema.extend(invoiceListQuery).strict();

const changeStatuses: Readonly<Record<ChangeCode, number>> = {
  not_found: 404, invalid_state: 409, payment_in_progress: 409, payment_provider_missing: 409, payment_failed: 409, partly_paid: 409, provider_refused: 409, provider_unavailable: 503,
};
const upcomingStatuses: Readonly<Record<UpcomingCode, number>> = { not_found: 404, no_upcoming_invoice: 404 };

/** The change has begun and is not over: ask again. */
const acceptedStatus = 202;

@ApiTags('invoices')
@Controller()
export class InvoiceController {
  constructor(
    @Inject(FindInvoices) private readonly findInvoices: FindInvoices,
    @Inject(ChangeInvoice) private readonly changeInvoice: ChangeInvoice,
    @Inject(PreviewUpcomingInvoice) private readonly previewUpcoming: PreviewUpcomingInvoice,
  ) {}

  @Get('v1/invoices')
  @RequiredScope('invoices:read')
  @ApiOperation({ summary: 'List invoices', description: 'The one made last first. from and to are of issued_at.' })
  @Answers({ schema: invoiceListSchema, problems: [422] })
  async list(@CurrentPrincipal() principal: Principal, @Query({ schema: invoiceListQuerySchema }) query: z.infer<typeof invoiceListQuerySchema>): Promise<ListBody<InvoiceBody>> {
    const instant = (text: string | undefined) => (text === undefined ? undefined : Temporal.Instant.from(text));
    const { items, hasMore } = await this.findInvoices.list(principal.organizationId, {
      page: toListPage(query), customer: query.customer, subscriptionId: query.subscription, status: query.status, from: instant(query.from), to: instant(query.to),
    });
    return { data: items.map(toInvoiceBody), has_more: hasMore };
  }

  @Get('v1/invoices/:id')
  @RequiredScope('invoices:read')
  @ApiOperation({ summary: 'Read an invoice', description: 'A draft shows the usage that is counted so far; an issued invoice never changes its lines and amounts.' })
  @Answers({ schema: invoiceSchema, problems: [404] })
  async one(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<InvoiceBody> {
    return this.read({ organizationId: principal.organizationId, id });
  }

  @Get('v1/customers/:id/upcoming-invoice')
  @RequiredScope('invoices:read')
  @ApiOperation({ summary: "Preview a customer's next invoice", description: 'With the usage that is counted so far, as if the period ended now.' })
  @Answers({ schema: upcomingInvoiceSchema, problems: [404, 422] })
  async upcoming(
    @CurrentPrincipal() principal: Principal,
    @Param('id') customer: string,
    @Query({ schema: upcomingInvoiceQuerySchema }) query: UpcomingInvoiceQuery,
  ): Promise<UpcomingInvoiceBody> {
    const outcome = await this.previewUpcoming.execute({ organizationId: principal.organizationId, customer, subscriptionId: query.subscription });
    return toUpcomingBody(valueOrProblem(outcome, upcomingStatuses));
  }

  @Post('v1/invoices/:id/finalize')
  @HttpCode(200)
  @RequiredScope('invoices:write')
  @ApiOperation({ summary: 'Issue a draft before its grace period is over', description: '202 where its usage is still being rated: it is issued as soon as that is done.' })
  @Answers({ schema: invoiceSchema, problems: [404, 409] })
  async finalize(@CurrentPrincipal() principal: Principal, @Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<InvoiceBody> {
    return this.change({ organizationId: principal.organizationId, id }, { act: (key) => this.changeInvoice.finalize(key), reply });
  }

  @Post('v1/invoices/:id/pay')
  @HttpCode(200)
  @RequiredScope('invoices:write')
  @ApiOperation({ summary: 'Take the payment of an issued invoice now', description: '202 where the payment provider has not said yet what came of it.' })
  @Answers({ schema: invoiceSchema, problems: [404, 409] })
  async pay(@CurrentPrincipal() principal: Principal, @Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<InvoiceBody> {
    return this.change({ organizationId: principal.organizationId, id }, { act: (key) => this.changeInvoice.pay(key), reply });
  }

  @Post('v1/invoices/:id/void')
  @HttpCode(200)
  @RequiredScope('invoices:write')
  @ApiOperation({ summary: 'Make an issued invoice worthless', description: 'Its number stays taken, and what it carried over from earlier invoices goes to the next one. Its fees and usage, late usage too, are not billed again. One that is partly paid can not be voided.' })
  @Answers({ schema: invoiceSchema, problems: [404, 409, 503] })
  async void(@CurrentPrincipal() principal: Principal, @Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<InvoiceBody> {
    return this.change({ organizationId: principal.organizationId, id }, { act: (key) => this.changeInvoice.void(key), reply });
  }

  @Post('v1/invoices/:id/mark-uncollectible')
  @HttpCode(200)
  @RequiredScope('invoices:write')
  @ApiOperation({ summary: 'Give up on an open invoice', description: 'It may still be paid.' })
  @Answers({ schema: invoiceSchema, problems: [404, 409, 503] })
  async markUncollectible(@CurrentPrincipal() principal: Principal, @Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<InvoiceBody> {
    return this.change({ organizationId: principal.organizationId, id }, { act: (key) => this.changeInvoice.markUncollectible(key), reply });
  }

  private async change(key: InvoiceKey, options: { act: (key: InvoiceKey) => ReturnType<ChangeInvoice['void']>; reply: FastifyReply }): Promise<InvoiceBody> {
    const { isSettled } = valueOrProblem(await options.act(key), changeStatuses);
    if (!isSettled) void options.reply.status(acceptedStatus);
    return this.read(key);
  }

  private async read(key: InvoiceKey): Promise<InvoiceBody> {
    const found = await this.findInvoices.one(key);
    if (found === null) throw notFound('invoice');
    return toInvoiceBody(found);
  }
}
