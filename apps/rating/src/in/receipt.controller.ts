import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { invoiceVerificationSchema, lineEventListSchema, receiptSchema, type InvoiceVerificationBody, type LineEventListBody, type ReceiptBody } from '#contracts';
import { Answers, CurrentPrincipal, listQuerySchema, RequiredScope, toListPage, valueOrProblem, type Principal } from '#platform';
import { ReadReceipt, type LineEventsCode } from '../read-receipt.js';
import { VerifyInvoice } from '../verify-invoice.js';
import { toLineEventBody, toReceiptBody, toVerificationBody } from './receipt-bodies.js';

const statuses: Readonly<Record<LineEventsCode, number>> = { not_found: 404, invoice_not_issued: 409, invalid_request: 422 };

/** A line of an invoice, as its path names it. */
interface LinePath {
  readonly id: string;
  readonly line: string;
}

const lineParams = [{ name: 'id', description: 'Of the invoice.' }, { name: 'line', description: 'Id of the line.' }] as const;

@ApiTags('invoices')
@Controller()
export class ReceiptController {
  constructor(
    @Inject(ReadReceipt) private readonly readReceipt: ReadReceipt,
    @Inject(VerifyInvoice) private readonly verifyInvoice: VerifyInvoice,
  ) {}

  @Get('v1/invoices/:id/lines/:line/receipt')
  @ApiParam(lineParams[0])
  @ApiParam(lineParams[1])
  @RequiredScope('invoices:read')
  @ApiOperation({
    summary: 'Open a line of an issued invoice to what it was made of',
    description: 'Its trace, the hours in which there was usage, and the digest over its events, read again as they were when the line was made: late events, voids and amendments after that are left aside.',
  })
  @Answers({ schema: receiptSchema, problems: [404, 409] })
  async receipt(@CurrentPrincipal() { organizationId }: Principal, @Param() { id: invoiceId, line: lineId }: LinePath): Promise<ReceiptBody> {
    return toReceiptBody(valueOrProblem(await this.readReceipt.execute({ organizationId, invoiceId, lineId }), statuses));
  }

  @Get('v1/invoices/:id/lines/:line/events')
  @ApiParam(lineParams[0])
  @ApiParam(lineParams[1])
  @RequiredScope('invoices:read')
  @ApiOperation({ summary: 'List the events that a line of an issued invoice was made of', description: 'By event time, then in the order in which the log took them. Of an adjustment, those that it settles. A line without events has none.' })
  @Answers({ schema: lineEventListSchema, problems: [404, 409, 422] })
  async events(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param() { id: invoiceId, line: lineId }: LinePath,
    @Query({ schema: listQuerySchema }) query: z.infer<typeof listQuerySchema>,
  ): Promise<LineEventListBody> {
    const { events, hasMore } = valueOrProblem(await this.readReceipt.events({ organizationId, invoiceId, lineId }, toListPage(query)), statuses);
    return { data: events.map(toLineEventBody), has_more: hasMore };
  }

  @Get('v1/invoices/:id/verify')
  @RequiredScope('invoices:read')
  @ApiOperation({
    summary: 'Make an issued invoice again, and compare',
    description: 'From the plan versions, the schedule and the usage that it was made of. Names each difference by its line. Changes nothing.',
  })
  @Answers({ schema: invoiceVerificationSchema, problems: [404, 409] })
  async verify(@CurrentPrincipal() principal: Principal, @Param('id') invoiceId: string): Promise<InvoiceVerificationBody> {
    return toVerificationBody(valueOrProblem(await this.verifyInvoice.execute({ organizationId: principal.organizationId, invoiceId }), statuses));
  }
}
