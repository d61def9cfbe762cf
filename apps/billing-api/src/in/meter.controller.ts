import { Body, Controller, Get, HttpCode, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { archivedQuery, meterCreateSchema, meterListSchema, meterReplaceSchema, meterSchema, meterUpdateSchema } from '#contracts';
import type { MeterBody, MeterReplace, MeterUpdate } from '#contracts';
import { Answers, CurrentCall, CurrentPrincipal, listQuerySchema, RequiredScope, toListPage, valueOrProblem, type CallContext, type ListBody, type Principal } from '#platform';
import { Meters } from '../catalog.js';
import { catalogStatuses } from './catalog-statuses.js';
import { toMeterBody } from './catalog-bodies.js';
import { toListBody } from './list-body.js';

const listSchema = listQuerySchema.extend(archivedQuery);
const versionsDescription = 'Each event is counted by the version of its time: a new one counts events from effective_at on, which is now unless it is given, and those before stay as they are. '
  + 'Event type, value, group_by and filter may change; aggregation and percentile may not (409 definition_fixed). A time that has been billed is refused (409 billed_period), and so is the loss of a dimension that a price in use looks at (409 dimension_in_use).';

@ApiTags('meters')
@Controller('/v1/meters')
export class MeterController {
  constructor(private readonly meters: Meters) {}

  @Post()
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Create a meter' })
  @Answers({ status: 201, schema: meterSchema, problems: [400, 409, 422] })
  async create(@CurrentPrincipal() principal: Principal, @Body({ schema: meterCreateSchema }) body: MeterReplace & { key: string }): Promise<MeterBody> {
    return toMeterBody(valueOrProblem(await this.meters.create(principal.organizationId, body), catalogStatuses));
  }

  @Get()
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'List meters, newest first' })
  @Answers({ schema: meterListSchema, problems: [422] })
  async list(@CurrentPrincipal() principal: Principal, @Query({ schema: listSchema }) query: typeof listSchema._output): Promise<ListBody<MeterBody>> {
    const page = await this.meters.list(principal.organizationId, { page: toListPage(query), includeArchived: query.include_archived === 'true' });
    return toListBody(page, toMeterBody);
  }

  @Get(':id')
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'Read a meter by id or key' })
  @Answers({ schema: meterSchema, problems: [404] })
  async read(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<MeterBody> {
    return toMeterBody(valueOrProblem(await this.meters.find({ organizationId: principal.organizationId, reference: id }), catalogStatuses));
  }

  @Put(':id')
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Create or replace a meter by key; another definition makes a new version', description: versionsDescription })
  @Answers({ schema: meterSchema, problems: [400, 404, 409, 422] })
  @Answers({ status: 201, schema: meterSchema, description: 'There was none with this key.' })
  async replace(
    @CurrentCall() { principal, setStatus }: CallContext,
    @Param('id') reference: string,
    @Body({ schema: meterReplaceSchema }) input: MeterReplace,
  ): Promise<MeterBody> {
    const { item, isNew } = valueOrProblem(await this.meters.replace(principal.organizationId, { reference, input }), catalogStatuses);
    setStatus(isNew ? 201 : 200);
    return toMeterBody(item);
  }

  @Patch(':id')
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Change some fields of a meter; another definition makes a new version', description: versionsDescription })
  @Answers({ schema: meterSchema, problems: [400, 404, 409, 422] })
  async update(@CurrentPrincipal() principal: Principal, @Param('id') reference: string, @Body({ schema: meterUpdateSchema }) change: MeterUpdate): Promise<MeterBody> {
    return toMeterBody(valueOrProblem(await this.meters.update(principal.organizationId, { reference, change }), catalogStatuses));
  }

  @Post(':id/archive')
  @HttpCode(200)
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Archive a meter: it can not be used for anything new' })
  @Answers({ schema: meterSchema, problems: [404, 409] })
  async archive(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<MeterBody> {
    return toMeterBody(valueOrProblem(await this.meters.archive({ organizationId: principal.organizationId, reference: id }), catalogStatuses));
  }
}
