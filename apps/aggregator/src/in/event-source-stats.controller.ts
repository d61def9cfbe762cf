import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { eventSourceStatsQuerySchema, eventSourceStatsSchema, type EventSourceStatsBody, type EventSourceStatsQuery } from '#contracts';
import { Answers, CurrentPrincipal, RequiredScope, valueOrProblem, type Principal } from '#platform';
import { ReadSourceStats, type SourceStatsCode } from '../read-source-stats.js';

const statuses: Readonly<Record<SourceStatsCode, number>> = { not_found: 404, invalid_request: 422 };

@ApiTags('event sources')
@Controller('v1/event-sources')
export class EventSourceStatsController {
  constructor(@Inject(ReadSourceStats) private readonly readSourceStats: ReadSourceStats) {}

  @Get(':id/stats')
  @RequiredScope('usage:read')
  @ApiOperation({
    summary: 'What came from an event source, by the hour of its receipt',
    description: 'received counts every event that was sent: accepted ones with their copies, and refused ones. Hours in which nothing came are left out. Accepted ones are told for as long as copies are recognised (dedupe_window).',
  })
  @Answers({ schema: eventSourceStatsSchema, problems: [404, 422] })
  async stats(@CurrentPrincipal() { organizationId }: Principal, @Param('id') reference: string, @Query({ schema: eventSourceStatsQuerySchema }) query: EventSourceStatsQuery): Promise<EventSourceStatsBody> {
    const { hours, from, to } = valueOrProblem(await this.readSourceStats.execute({ organizationId, reference }, query), statuses);
    return { data: hours.map(({ hour, ...counts }) => ({ hour: hour.toString(), ...counts })), from: from.toString(), to: to.toString() };
  }
}
