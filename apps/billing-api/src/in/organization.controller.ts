import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { organizationCreatedSchema, organizationCreateSchema, organizationListSchema, organizationSchema, organizationUpdateSchema } from '#contracts';
import type { OrganizationBody, OrganizationCreate, OrganizationUpdate } from '#contracts';
import { Answers, CurrentPrincipal, listQuerySchema, RequiredScope, toListPage, valueOrProblem, type ListBody, type Principal } from '#platform';
import type { z } from 'zod';
import { ChangeOrganization } from '../change-organization.js';
import { CreateOrganization } from '../create-organization.js';
import { ReadOrganizations } from '../read-organizations.js';
import { toListBody } from './list-body.js';
import { toOrganizationBody } from './organization-bodies.js';

@ApiTags('organizations')
@Controller('/v1')
export class OrganizationController {
  constructor(
    private readonly createOrganization: CreateOrganization,
    private readonly readOrganizations: ReadOrganizations,
    private readonly changeOrganization: ChangeOrganization,
  ) {}

  @Post('organizations')
  @RequiredScope('platform')
  @ApiOperation({ summary: 'Create an organization and its first API key' })
  @Answers({ status: 201, schema: organizationCreatedSchema, problems: [400, 422] })
  async create(@Body({ schema: organizationCreateSchema }) body: OrganizationCreate): Promise<z.infer<typeof organizationCreatedSchema>> {
    const { organization, apiKey, secret } = await this.createOrganization.execute(body);
    return { organization: toOrganizationBody(organization), api_key: { id: apiKey.id, secret } };
  }

  @Get('organizations')
  @RequiredScope('platform')
  @ApiOperation({ summary: 'List all organizations, newest first' })
  @Answers({ schema: organizationListSchema, problems: [422] })
  async list(@Query({ schema: listQuerySchema }) query: z.infer<typeof listQuerySchema>): Promise<ListBody<OrganizationBody>> {
    return toListBody(await this.readOrganizations.list(toListPage(query)), toOrganizationBody);
  }

  @Get('organizations/:id')
  @RequiredScope('platform')
  @ApiOperation({ summary: 'Read an organization' })
  @Answers({ schema: organizationSchema, problems: [404] })
  async read(@Param('id') id: string): Promise<OrganizationBody> {
    return toOrganizationBody(valueOrProblem(await this.readOrganizations.find(id), { not_found: 404 }));
  }

  @Get('organization')
  @RequiredScope('organization:read')
  @ApiOperation({ summary: 'Read your organization and its settings' })
  @Answers({ schema: organizationSchema })
  async own(@CurrentPrincipal() principal: Principal): Promise<OrganizationBody> {
    return toOrganizationBody(await this.readOrganizations.own(principal.organizationId));
  }

  @Patch('organization')
  @RequiredScope('organization:write')
  @ApiOperation({ summary: 'Change settings of your organization' })
  @Answers({ schema: organizationSchema, problems: [400, 422] })
  async change(@CurrentPrincipal() principal: Principal, @Body({ schema: organizationUpdateSchema }) body: OrganizationUpdate): Promise<OrganizationBody> {
    return toOrganizationBody(valueOrProblem(await this.changeOrganization.execute(principal.organizationId, body), { invalid_request: 422 }));
  }
}
