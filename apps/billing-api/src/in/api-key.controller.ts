import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { apiKeyCreatedSchema, apiKeyCreateSchema, apiKeyListSchema, apiKeySchema, apiKeyUpdateSchema } from '#contracts';
import type { ApiKeyBody, ApiKeyCreate, ApiKeyUpdate } from '#contracts';
import { Answers, CurrentPrincipal, listQuerySchema, RequiredScope, toListPage, valueOrProblem, type ListBody, type Principal } from '#platform';
import { ManageApiKeys, type ApiKeyRefusal } from '../manage-api-keys.js';
import { toListBody } from './list-body.js';
import { toApiKeyBody } from './organization-bodies.js';

const statuses: Readonly<Record<ApiKeyRefusal, number>> = { not_found: 404, scope_exceeded: 403, invalid_request: 422, key_in_use: 409 };

@ApiTags('api-keys')
@Controller('/v1/api-keys')
export class ApiKeyController {
  constructor(private readonly apiKeys: ManageApiKeys) {}

  @Post()
  @RequiredScope('keys:write')
  @ApiOperation({ summary: 'Create an API key; its secret is shown this once' })
  @Answers({ status: 201, schema: apiKeyCreatedSchema, problems: [400, 422] })
  async create(@CurrentPrincipal() principal: Principal, @Body({ schema: apiKeyCreateSchema }) body: ApiKeyCreate): Promise<z.infer<typeof apiKeyCreatedSchema>> {
    const { apiKey, secret } = valueOrProblem(await this.apiKeys.create(principal, body), statuses);
    return { ...toApiKeyBody(apiKey), secret };
  }

  @Get()
  @RequiredScope('keys:read')
  @ApiOperation({ summary: 'List API keys, newest first' })
  @Answers({ schema: apiKeyListSchema, problems: [422] })
  async list(@CurrentPrincipal() principal: Principal, @Query({ schema: listQuerySchema }) query: z.infer<typeof listQuerySchema>): Promise<ListBody<ApiKeyBody>> {
    return toListBody(await this.apiKeys.list(principal.organizationId, toListPage(query)), toApiKeyBody);
  }

  @Get(':id')
  @RequiredScope('keys:read')
  @ApiOperation({ summary: 'Read an API key' })
  @Answers({ schema: apiKeySchema, problems: [404] })
  async read(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<ApiKeyBody> {
    return toApiKeyBody(valueOrProblem(await this.apiKeys.find({ organizationId: principal.organizationId, id }), statuses));
  }

  @Patch(':id')
  @RequiredScope('keys:write')
  @ApiOperation({ summary: 'Change the name or metadata of an API key' })
  @Answers({ schema: apiKeySchema, problems: [400, 404, 422] })
  async update(@CurrentPrincipal() principal: Principal, @Param('id') id: string, @Body({ schema: apiKeyUpdateSchema }) change: ApiKeyUpdate): Promise<ApiKeyBody> {
    return toApiKeyBody(valueOrProblem(await this.apiKeys.update(principal.organizationId, { id, change }), statuses));
  }

  @Post(':id/revoke')
  @HttpCode(200)
  @RequiredScope('keys:write')
  @ApiOperation({ summary: 'Revoke an API key for ever' })
  @Answers({ schema: apiKeySchema, problems: [404, 409] })
  async revoke(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<ApiKeyBody> {
    return toApiKeyBody(valueOrProblem(await this.apiKeys.revoke(principal, id), statuses));
  }
}
