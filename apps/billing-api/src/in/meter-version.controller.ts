import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { meterDiffQuerySchema, meterDiffSchema, meterVersionListSchema, meterVersionSchema, type MeterDiffBody, type MeterDiffQuery, type MeterVersionBody } from '#contracts';
import { fieldDifferences, type MeterDefinition } from '#domain';
import { Answers, CurrentPrincipal, listQuerySchema, RequiredScope, toListPage, valueOrProblem, type ListBody, type Principal } from '#platform';
import { ReadMeterVersions, type ReadMeterVersionsRefusal } from '../read-meter-versions.js';
import { definitionBody, toMeterVersionBody } from './catalog-bodies.js';
import { toListBody } from './list-body.js';

const statuses: Readonly<Record<ReadMeterVersionsRefusal, number>> = { not_found: 404 };
const versionsSchema = listQuerySchema.omit({ ending_before: true });

@ApiTags('meters')
@Controller('/v1/meters')
export class MeterVersionController {
  constructor(private readonly readVersions: ReadMeterVersions) {}

  @Get(':id/versions')
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'List the versions of a meter, newest first; starting_after takes a version' })
  @Answers({ schema: meterVersionListSchema, problems: [404, 422] })
  async list(@CurrentPrincipal() principal: Principal, @Param('id') reference: string, @Query({ schema: versionsSchema }) query: z.infer<typeof versionsSchema>): Promise<ListBody<MeterVersionBody>> {
    return toListBody(valueOrProblem(await this.readVersions.list(principal.organizationId, { reference, page: toListPage(query) }), statuses), toMeterVersionBody);
  }

  @Get(':id/versions/:version')
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'Read one version of a meter' })
  @Answers({ schema: meterVersionSchema, problems: [404] })
  async read(@CurrentPrincipal() principal: Principal, @Param('id') reference: string, @Param('version') version: `${number}`): Promise<MeterVersionBody> {
    return toMeterVersionBody(valueOrProblem(await this.readVersions.find(principal.organizationId, { reference, version }), statuses));
  }

  @Get(':id/diff')
  @RequiredScope('catalog:read')
  @ApiOperation({ summary: 'Compare two versions of a meter, in sentences and in values' })
  @Answers({ schema: meterDiffSchema, problems: [404, 422] })
  async diff(@CurrentPrincipal() principal: Principal, @Param('id') reference: string, @Query({ schema: meterDiffQuerySchema }) query: MeterDiffQuery): Promise<MeterDiffBody> {
    const numberOf = (text: string | undefined): number | null => (text === undefined ? null : Number(text));
    const { from, to } = valueOrProblem(await this.readVersions.pair(principal.organizationId, { reference, from: numberOf(query.from), to: numberOf(query.to) }), statuses);
    const differences = fieldDifferences({ from: saidOf(from), to: saidOf(to), subject: 'The meter' }).map(({ priceKey: _none, ...difference }) => difference);
    return { object: 'meter_diff', meter: to.meterId, from: from.version, to: to.version, differences };
  }
}

/** Without the fields that say nothing. */
function saidOf(version: MeterDefinition): Record<string, unknown> {
  return Object.fromEntries(Object.entries(definitionBody(version)).filter(([, value]) => value !== null));
}
