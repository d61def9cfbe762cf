import { Body, Controller, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { planMigrateSchema, planMigrationSchema, previewQuerySchema, type PlanMigrate, type PlanMigrationBody } from '#contracts';
import { Answers, CurrentCall, RequiredScope, valueOrProblem, type CallContext } from '#platform';
import { MigratePlan, type MigrateInput, type MigrateRefusal } from '../migrate-plan.js';
import { businessInstant } from './business-instant.js';

const statuses: Readonly<Record<MigrateRefusal, number>> = { not_found: 404, invalid_request: 422 };

@ApiTags('plans')
@Controller('/v1/plans')
export class PlanMigrationController {
  constructor(private readonly migratePlan: MigratePlan) {}

  @Post(':id/migrate')
  @HttpCode(200)
  @RequiredScope('subscriptions:write')
  @ApiOperation({
    summary: 'Put every subscription on a plan onto a version of it, or with preview=true count those',
    description: 'Quantities and overrides stay. What was set to change later is replaced. Calling it again goes on with what was left.',
  })
  @Answers({ schema: planMigrationSchema, problems: [400, 404, 422] })
  @ApiParam({ name: 'id', type: String })
  async migrate(
    @CurrentCall() { principal, params }: CallContext,
    @Query({ schema: previewQuerySchema }) query: z.infer<typeof previewQuerySchema>,
    @Body({ schema: planMigrateSchema }) body: PlanMigrate,
  ): Promise<PlanMigrationBody> {
    const when: MigrateInput['when'] = body.when === 'now' || body.when === 'period_end' ? body.when : businessInstant(body.when);
    const input = { toVersion: body.to_version, when, isProrated: body.prorate ?? true, isPreview: query.preview === 'true' };
    const done = valueOrProblem(await this.migratePlan.execute(principal.organizationId, { reference: params['id'] ?? '', input }), statuses);
    return {
      object: 'plan_migration',
      plan: done.planId,
      to_version: body.to_version,
      when: body.when,
      migrated: done.migrated,
      unchanged: done.unchanged,
      skipped_count: done.skippedCount,
      skipped: done.skipped.map(({ subscriptionId, detail }) => ({ subscription: subscriptionId, detail })),
    };
  }
}
