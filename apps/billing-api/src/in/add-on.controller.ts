import { Body, Controller, Get, HttpCode, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import {
  addOnCreateSchema, addOnListSchema, addOnReplaceSchema, addOnSchema, addOnUpdateSchema, addOnVersionListSchema, addOnVersionQuerySchema, archivedQuery,
} from '#contracts';
import type { AddOnBody, AddOnReplace, AddOnUpdate, AddOnVersionBody } from '#contracts';
import { Answers, CurrentCall, CurrentPrincipal, listQuerySchema, RequiredScope, toListPage, valueOrProblem, type CallContext, type ListBody, type Principal } from '#platform';
import { AddOns, type AddOnRefusal, type AddOnView } from '../add-ons.js';
import { ReadAddOns } from '../read-add-ons.js';
import { toAddOnBody, toAddOnVersionBody } from './add-on-bodies.js';
import { toListBody } from './list-body.js';

const statuses: Readonly<Record<AddOnRefusal, number>> = { not_found: 404, key_taken: 409, key_mismatch: 422, invalid_request: 422 };
const listSchema = listQuerySchema.extend(archivedQuery);
const versionsSchema = listQuerySchema.omit({ ending_before: true });

@ApiTags('add-ons')
@Controller('/v1/add-ons')
export class AddOnController {
  constructor(
    private readonly addOns: AddOns,
    private readonly readAddOns: ReadAddOns,
  ) {}

  @Post()
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Create an add-on in version 1', description: 'Prices that single subscriptions have beside those of their plan, for their own time.' })
  @Answers({ status: 201, schema: addOnSchema, problems: [400, 409, 422] })
  async create(@CurrentPrincipal() principal: Principal, @Body({ schema: addOnCreateSchema }) body: AddOnReplace & { key: string }): Promise<AddOnBody> {
    return this.body(principal, valueOrProblem(await this.addOns.create(principal.organizationId, body), statuses));
  }

  @Get()
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'List add-ons in their latest versions, newest first' })
  @Answers({ schema: addOnListSchema, problems: [422] })
  async list(@CurrentPrincipal() principal: Principal, @Query({ schema: listSchema }) query: z.infer<typeof listSchema>): Promise<ListBody<AddOnBody>> {
    const page = await this.readAddOns.list(principal.organizationId, { page: toListPage(query), includeArchived: query.include_archived === 'true' });
    const productKeys = await this.readAddOns.productKeys(principal.organizationId, page.items.map(({ addOn }) => addOn));
    return toListBody(page, (view) => toAddOnBody(view, productKeys));
  }

  @Get(':id')
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'Read an add-on by id or key, in its latest version or in another' })
  @Answers({ schema: addOnSchema, problems: [404, 422] })
  async read(@CurrentPrincipal() principal: Principal, @Param('id') reference: string, @Query({ schema: addOnVersionQuerySchema }) query: { version?: string }): Promise<AddOnBody> {
    const version = query.version === undefined ? null : Number(query.version);
    return this.body(principal, valueOrProblem(await this.readAddOns.find(principal.organizationId, { reference, version }), statuses));
  }

  @Get(':id/versions')
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'List the versions of an add-on, newest first; starting_after takes a version' })
  @Answers({ schema: addOnVersionListSchema, problems: [404, 422] })
  async versions(@CurrentPrincipal() principal: Principal, @Param('id') reference: string, @Query({ schema: versionsSchema }) query: z.infer<typeof versionsSchema>): Promise<ListBody<AddOnVersionBody>> {
    return toListBody(valueOrProblem(await this.readAddOns.versions(principal.organizationId, { reference, page: toListPage(query) }), statuses), toAddOnVersionBody);
  }

  @Put(':id')
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Create or replace an add-on by key; other terms make a new version' })
  @Answers({ schema: addOnSchema, problems: [400, 404, 422] })
  @Answers({ status: 201, schema: addOnSchema, description: 'There was none with this key.' })
  async replace(@CurrentCall() { principal, setStatus }: CallContext, @Param('id') reference: string, @Body({ schema: addOnReplaceSchema }) input: AddOnReplace): Promise<AddOnBody> {
    const { view, isNew } = valueOrProblem(await this.addOns.replace(principal.organizationId, { reference, input }), statuses);
    setStatus(isNew ? 201 : 200);
    return this.body(principal, view);
  }

  @Patch(':id')
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Change some fields of an add-on; other terms make a new version' })
  @Answers({ schema: addOnSchema, problems: [400, 404, 422] })
  async update(@CurrentPrincipal() principal: Principal, @Param('id') reference: string, @Body({ schema: addOnUpdateSchema }) change: AddOnUpdate): Promise<AddOnBody> {
    return this.body(principal, valueOrProblem(await this.addOns.update(principal.organizationId, { reference, change }), statuses));
  }

  @Post(':id/archive')
  @HttpCode(200)
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Archive an add-on: no subscription gets it any more, those that have it keep it' })
  @Answers({ schema: addOnSchema, problems: [404] })
  async archive(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<AddOnBody> {
    return this.body(principal, valueOrProblem(await this.addOns.archive({ organizationId: principal.organizationId, reference: id }), statuses));
  }

  private async body(principal: Principal, view: AddOnView): Promise<AddOnBody> {
    return toAddOnBody(view, await this.readAddOns.productKeys(principal.organizationId, [view.addOn]));
  }
}
