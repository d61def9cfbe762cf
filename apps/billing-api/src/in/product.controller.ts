import { Body, Controller, Get, HttpCode, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { archivedQuery, productCreateSchema, productListSchema, productReplaceSchema, productSchema, productUpdateSchema } from '#contracts';
import type { ProductBody, ProductReplace, ProductUpdate } from '#contracts';
import { Answers, CurrentCall, CurrentPrincipal, listQuerySchema, RequiredScope, toListPage, valueOrProblem, type CallContext, type ListBody, type Principal } from '#platform';
import { Products } from '../catalog.js';
import { catalogStatuses } from './catalog-statuses.js';
import { toProductBody } from './catalog-bodies.js';
import { toListBody } from './list-body.js';

const listSchema = listQuerySchema.extend(archivedQuery);

@ApiTags('products')
@Controller('/v1/products')
export class ProductController {
  constructor(private readonly products: Products) {}

  @Post()
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Create a product' })
  @Answers({ status: 201, schema: productSchema, problems: [400, 409, 422] })
  async create(@CurrentPrincipal() principal: Principal, @Body({ schema: productCreateSchema }) body: ProductReplace & { key: string }): Promise<ProductBody> {
    return toProductBody(valueOrProblem(await this.products.create(principal.organizationId, body), catalogStatuses));
  }

  @Get()
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'List products, newest first' })
  @Answers({ schema: productListSchema, problems: [422] })
  async list(@CurrentPrincipal() principal: Principal, @Query({ schema: listSchema }) query: typeof listSchema._output): Promise<ListBody<ProductBody>> {
    const page = await this.products.list(principal.organizationId, { page: toListPage(query), includeArchived: query.include_archived === 'true' });
    return toListBody(page, toProductBody);
  }

  @Get(':id')
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'Read a product by id or key' })
  @Answers({ schema: productSchema, problems: [404] })
  async read(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<ProductBody> {
    return toProductBody(valueOrProblem(await this.products.find({ organizationId: principal.organizationId, reference: id }), catalogStatuses));
  }

  @Put(':id')
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Create or replace a product by key' })
  @Answers({ schema: productSchema, problems: [400, 404, 422] })
  @Answers({ status: 201, schema: productSchema, description: 'There was none with this key.' })
  async replace(
    @CurrentCall() { principal, setStatus }: CallContext,
    @Param('id') reference: string,
    @Body({ schema: productReplaceSchema }) input: ProductReplace,
  ): Promise<ProductBody> {
    const { item, isNew } = valueOrProblem(await this.products.replace(principal.organizationId, { reference, input }), catalogStatuses);
    setStatus(isNew ? 201 : 200);
    return toProductBody(item);
  }

  @Patch(':id')
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Change some fields of a product' })
  @Answers({ schema: productSchema, problems: [400, 404, 422] })
  async update(@CurrentPrincipal() principal: Principal, @Param('id') reference: string, @Body({ schema: productUpdateSchema }) change: ProductUpdate): Promise<ProductBody> {
    return toProductBody(valueOrProblem(await this.products.update(principal.organizationId, { reference, change }), catalogStatuses));
  }

  @Post(':id/archive')
  @HttpCode(200)
  @RequiredScope('catalog:write')
  @ApiOperation({ summary: 'Archive a product: it can not be used for anything new' })
  @Answers({ schema: productSchema, problems: [404] })
  async archive(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<ProductBody> {
    return toProductBody(valueOrProblem(await this.products.archive({ organizationId: principal.organizationId, reference: id }), catalogStatuses));
  }
}
