import { Body, Controller, Get, HttpCode, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { archivedQuery, eventSourceCreateSchema, eventSourceListSchema, eventSourceReplaceSchema, eventSourceSchema, eventSourceUpdateSchema } from '#contracts';
import type { EventSourceBody, EventSourceReplace, EventSourceUpdate } from '#contracts';
import { Answers, CurrentCall, CurrentPrincipal, listQuerySchema, RequiredScope, toListPage, valueOrProblem, type CallContext, type ListBody, type Principal } from '#platform';
import { EventSources } from '../catalog.js';
import { catalogStatuses } from './catalog-statuses.js';
import { toEventSourceBody } from './catalog-bodies.js';
import { toListBody } from './list-body.js';

const listSchema = listQuerySchema.extend(archivedQuery);

@ApiTags('event sources')
@Controller('/v1/event-sources')
export class EventSourceController {
  constructor(private readonly eventSources: EventSources) {}

  @Post()
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Create an event source: how the entries of a log become events' })
  @Answers({ status: 201, schema: eventSourceSchema, problems: [400, 409, 422] })
  async create(@CurrentPrincipal() principal: Principal, @Body({ schema: eventSourceCreateSchema }) body: EventSourceReplace & { key: string }): Promise<EventSourceBody> {
    return toEventSourceBody(valueOrProblem(await this.eventSources.create(principal.organizationId, body), catalogStatuses));
  }

  @Get()
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'List event sources, newest first' })
  @Answers({ schema: eventSourceListSchema, problems: [422] })
  async list(@CurrentPrincipal() principal: Principal, @Query({ schema: listSchema }) query: typeof listSchema._output): Promise<ListBody<EventSourceBody>> {
    const page = await this.eventSources.list(principal.organizationId, { page: toListPage(query), includeArchived: query.include_archived === 'true' });
    return toListBody(page, toEventSourceBody);
  }

  @Get(':id')
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'Read an event source by id or key' })
  @Answers({ schema: eventSourceSchema, problems: [404] })
  async read(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<EventSourceBody> {
    return toEventSourceBody(valueOrProblem(await this.eventSources.find({ organizationId: principal.organizationId, reference: id }), catalogStatuses));
  }

  @Put(':id')
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Create or replace an event source by key' })
  @Answers({ schema: eventSourceSchema, problems: [400, 404, 422] })
  @Answers({ status: 201, schema: eventSourceSchema, description: 'There was none with this key.' })
  async replace(
    @CurrentCall() { principal, setStatus }: CallContext,
    @Param('id') reference: string,
    @Body({ schema: eventSourceReplaceSchema }) input: EventSourceReplace,
  ): Promise<EventSourceBody> {
    const { item, isNew } = valueOrProblem(await this.eventSources.replace(principal.organizationId, { reference, input }), catalogStatuses);
    setStatus(isNew ? 201 : 200);
    return toEventSourceBody(item);
  }

  @Patch(':id')
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Change the name or the metadata of an event source' })
  @Answers({ schema: eventSourceSchema, problems: [400, 404, 422] })
  async update(@CurrentPrincipal() principal: Principal, @Param('id') reference: string, @Body({ schema: eventSourceUpdateSchema }) change: EventSourceUpdate): Promise<EventSourceBody> {
    return toEventSourceBody(valueOrProblem(await this.eventSources.update(principal.organizationId, { reference, change }), catalogStatuses));
  }

  @Post(':id/archive')
  @HttpCode(200)
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Archive an event source: what comes by it is refused' })
  @Answers({ schema: eventSourceSchema, problems: [404] })
  async archive(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<EventSourceBody> {
    return toEventSourceBody(valueOrProblem(await this.eventSources.archive({ organizationId: principal.organizationId, reference: id }), catalogStatuses));
  }
}
