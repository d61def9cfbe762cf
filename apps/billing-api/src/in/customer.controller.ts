import { Body, Controller, Get, HttpCode, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import {
  attachmentListSchema, attachmentSchema, customerCreateSchema, customerListQuery, customerListSchema, customerReplaceSchema, customerSchema, customerUpdateSchema, subjectAttachSchema,
} from '#contracts';
import type { AttachmentBody, CustomerBody, CustomerReplace, CustomerUpdate, SubjectAttach } from '#contracts';
import { Answers, CurrentCall, CurrentPrincipal, listQuerySchema, RequiredScope, toListPage, valueOrProblem, type CallContext, type ListBody, type Principal } from '#platform';
import { Customers, type CustomerRefusal } from '../customers.js';
import { ReadCustomers } from '../read-customers.js';
import { businessInstantOrNull } from './business-instant.js';
import { toAttachmentBody, toCustomerBody } from './customer-bodies.js';
import { toListBody } from './list-body.js';

const statuses: Readonly<Record<CustomerRefusal, number>> = {
  not_found: 404, key_taken: 409, key_mismatch: 422, subject_taken: 409, effective_at_too_early: 422, currency_fixed: 409, has_subscriptions: 409, customer_archived: 409,
};
const listSchema = listQuerySchema.extend(customerListQuery);

@ApiTags('customers')
@Controller('/v1/customers')
export class CustomerController {
  constructor(
    private readonly customers: Customers,
    private readonly readCustomers: ReadCustomers,
  ) {}

  @Post()
  @RequiredScope('customers:write')
  @ApiOperation({ summary: 'Create a customer with its subjects' })
  @Answers({ status: 201, schema: customerSchema, problems: [400, 409, 422] })
  async create(@CurrentPrincipal() principal: Principal, @Body({ schema: customerCreateSchema }) body: CustomerReplace): Promise<CustomerBody> {
    const customer = valueOrProblem(await this.customers.create(principal.organizationId, body), statuses);
    return toCustomerBody(await this.readCustomers.view(customer));
  }

  @Get()
  @RequiredScope('customers:read')
  @ApiOperation({ summary: 'List customers, newest first' })
  @Answers({ schema: customerListSchema, problems: [422] })
  async list(@CurrentPrincipal() principal: Principal, @Query({ schema: listSchema }) query: z.infer<typeof listSchema>): Promise<ListBody<CustomerBody>> {
    const options = { page: toListPage(query), includeArchived: query.include_archived === 'true', subject: query.subject ?? null };
    return toListBody(await this.readCustomers.list(principal.organizationId, options), toCustomerBody);
  }

  @Get(':id')
  @RequiredScope('customers:read')
  @ApiOperation({ summary: 'Read a customer by id or key' })
  @Answers({ schema: customerSchema, problems: [404] })
  async read(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<CustomerBody> {
    return toCustomerBody(valueOrProblem(await this.readCustomers.find({ organizationId: principal.organizationId, reference: id }), statuses));
  }

  @Put(':id')
  @RequiredScope('customers:write')
  @ApiOperation({ summary: 'Create or replace a customer by key' })
  @Answers({ schema: customerSchema, problems: [400, 404, 409, 422] })
  @Answers({ status: 201, schema: customerSchema, description: 'There was none with this key.' })
  async replace(
    @CurrentCall() { principal, setStatus }: CallContext,
    @Param('id') reference: string,
    @Body({ schema: customerReplaceSchema }) input: CustomerReplace,
  ): Promise<CustomerBody> {
    const { customer, isNew } = valueOrProblem(await this.customers.replace(principal.organizationId, { reference, input }), statuses);
    setStatus(isNew ? 201 : 200);
    return toCustomerBody(await this.readCustomers.view(customer));
  }

  @Patch(':id')
  @RequiredScope('customers:write')
  @ApiOperation({ summary: 'Change some fields of a customer' })
  @Answers({ schema: customerSchema, problems: [400, 404, 409, 422] })
  async update(@CurrentPrincipal() principal: Principal, @Param('id') reference: string, @Body({ schema: customerUpdateSchema }) change: CustomerUpdate): Promise<CustomerBody> {
    const customer = valueOrProblem(await this.customers.update(principal.organizationId, { reference, change }), statuses);
    return toCustomerBody(await this.readCustomers.view(customer));
  }

  @Post(':id/archive')
  @HttpCode(200)
  @RequiredScope('customers:write')
  @ApiOperation({ summary: 'Archive a customer without subscriptions; its subjects are free from then on' })
  @Answers({ schema: customerSchema, problems: [404, 409] })
  async archive(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<CustomerBody> {
    const customer = valueOrProblem(await this.customers.archive({ organizationId: principal.organizationId, reference: id }), statuses);
    return toCustomerBody(await this.readCustomers.view(customer));
  }

  @Post(':id/subjects')
  @RequiredScope('customers:write')
  @ApiOperation({ summary: 'Attach a subject to a customer, or move it there from an instant on' })
  @Answers({ status: 201, schema: attachmentSchema, problems: [400, 404, 409, 422] })
  async attach(@CurrentPrincipal() principal: Principal, @Param('id') reference: string, @Body({ schema: subjectAttachSchema }) body: SubjectAttach): Promise<AttachmentBody> {
    const effectiveAt = businessInstantOrNull(body.effective_at);
    return toAttachmentBody(valueOrProblem(await this.customers.attach(principal.organizationId, { reference, subject: body.subject, effectiveAt }), statuses));
  }

  @Get(':id/subjects')
  @RequiredScope('customers:read')
  @ApiOperation({ summary: 'Read all attachments of a customer, past and to come, by subject and time' })
  @Answers({ schema: attachmentListSchema, problems: [404] })
  async attachments(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<ListBody<AttachmentBody>> {
    const attachments = valueOrProblem(await this.readCustomers.attachments({ organizationId: principal.organizationId, reference: id }), statuses);
    return { data: attachments.map(toAttachmentBody), has_more: false };
  }
}
