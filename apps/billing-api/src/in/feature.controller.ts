import { Body, Controller, Get, HttpCode, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { archivedQuery, featureCreateSchema, featureListSchema, featureReplaceSchema, featureSchema, featureUpdateSchema } from '#contracts';
import type { FeatureBody, FeatureReplace, FeatureUpdate } from '#contracts';
import type { Feature } from '#persistence';
import { Answers, CurrentCall, CurrentPrincipal, listQuerySchema, RequiredScope, toListPage, valueOrProblem, type CallContext, type ListBody, type Principal } from '#platform';
import { Features, MeterKeys } from '../catalog.js';
import { catalogStatuses } from './catalog-statuses.js';
import { toFeatureBody } from './catalog-bodies.js';
import { toListBody } from './list-body.js';

const listSchema = listQuerySchema.extend(archivedQuery);

@ApiTags('features')
@Controller('/v1/features')
export class FeatureController {
  constructor(
    private readonly features: Features,
    private readonly meterKeysOf: MeterKeys,
  ) {}

  @Post()
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Create a feature' })
  @Answers({ status: 201, schema: featureSchema, problems: [400, 409, 422] })
  async create(@CurrentPrincipal() principal: Principal, @Body({ schema: featureCreateSchema }) body: FeatureReplace & { key: string }): Promise<FeatureBody> {
    return this.body(principal, valueOrProblem(await this.features.create(principal.organizationId, body), catalogStatuses));
  }

  @Get()
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'List features, newest first' })
  @Answers({ schema: featureListSchema, problems: [422] })
  async list(@CurrentPrincipal() principal: Principal, @Query({ schema: listSchema }) query: typeof listSchema._output): Promise<ListBody<FeatureBody>> {
    const page = await this.features.list(principal.organizationId, { page: toListPage(query), includeArchived: query.include_archived === 'true' });
    const meterKeys = await this.meterKeys(principal, page.items);
    return toListBody(page, (feature) => toFeatureBody(feature, meterKeys));
  }

  @Get(':id')
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'Read a feature by id or key' })
  @Answers({ schema: featureSchema, problems: [404] })
  async read(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<FeatureBody> {
    return this.body(principal, valueOrProblem(await this.features.find({ organizationId: principal.organizationId, reference: id }), catalogStatuses));
  }

  @Put(':id')
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Create or replace a feature by key' })
  @Answers({ schema: featureSchema, problems: [400, 404, 409, 422] })
  @Answers({ status: 201, schema: featureSchema, description: 'There was none with this key.' })
  async replace(
    @CurrentCall() { principal, setStatus }: CallContext,
    @Param('id') reference: string,
    @Body({ schema: featureReplaceSchema }) input: FeatureReplace,
  ): Promise<FeatureBody> {
    const { item, isNew } = valueOrProblem(await this.features.replace(principal.organizationId, { reference, input }), catalogStatuses);
    setStatus(isNew ? 201 : 200);
    return this.body(principal, item);
  }

  @Patch(':id')
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Change some fields of a feature', description: 'Its meter stays while plans or subscriptions limit it.' })
  @Answers({ schema: featureSchema, problems: [400, 404, 409, 422] })
  async update(@CurrentPrincipal() principal: Principal, @Param('id') reference: string, @Body({ schema: featureUpdateSchema }) change: FeatureUpdate): Promise<FeatureBody> {
    return this.body(principal, valueOrProblem(await this.features.update(principal.organizationId, { reference, change }), catalogStatuses));
  }

  @Post(':id/archive')
  @HttpCode(200)
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Archive a feature that no plan grants: it can not be used for anything new' })
  @Answers({ schema: featureSchema, problems: [404, 409] })
  async archive(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<FeatureBody> {
    return this.body(principal, valueOrProblem(await this.features.archive({ organizationId: principal.organizationId, reference: id }), catalogStatuses));
  }

  private async body(principal: Principal, feature: Feature): Promise<FeatureBody> {
    return toFeatureBody(feature, await this.meterKeys(principal, [feature]));
  }

  private async meterKeys(principal: Principal, features: readonly Feature[]): Promise<ReadonlyMap<string, string>> {
    return this.meterKeysOf.execute(principal.organizationId, features.flatMap(({ meterId }) => (meterId === null ? [] : [meterId])));
  }
}
