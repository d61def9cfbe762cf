import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  deadLetterListFields, deadLetterListSchema, deadLetterSchema, deadLetterSummaryQuerySchema, deadLetterSummarySchema, queryRange, type DeadLetterBody, type DeadLetterListBody, type DeadLetterSummaryBody,
} from '#contracts';
import { exactJsonValue, type DeadLetterFilter, type KeptDeadLetter } from '#persistence';
import { Answers, CurrentPrincipal, listQuerySchema, RequiredScope, toListPage, valueOrProblem, type Principal } from '#platform';
import { ReadDeadLetters } from '../read-dead-letters.js';

const listQuery = z.strictObject({ ...listQuerySchema.shape, ...deadLetterListFields });

@ApiTags('dead letters')
@Controller('v1/dead-letters')
export class DeadLetterController {
  constructor(@Inject(ReadDeadLetters) private readonly readDeadLetters: ReadDeadLetters) {}

  @Get()
  @RequiredScope('usage:read')
  @ApiOperation({
    summary: 'List what was refused, contradicted or could not be read',
    description: 'Newest receipt first. A conflict holds both payloads. state=open is the queue that is left to be worked down.',
  })
  @Answers({ schema: deadLetterListSchema, problems: [422] })
  async list(@CurrentPrincipal() { organizationId }: Principal, @Query({ schema: listQuery }) query: z.infer<typeof listQuery>): Promise<DeadLetterListBody> {
    const { letters, hasMore } = await this.readDeadLetters.list(filterOf({ organizationId, query }), toListPage(query));
    return { data: letters.map(toDeadLetter), has_more: hasMore };
  }

  @Get('summary')
  @RequiredScope('usage:read')
  @ApiOperation({ summary: 'How many dead letters there are, by kind, code and state', description: 'Those with the most open ones first.' })
  @Answers({ schema: deadLetterSummarySchema, problems: [422] })
  async summary(
    @CurrentPrincipal() { organizationId }: Principal, @Query({ schema: deadLetterSummaryQuerySchema }) query: z.infer<typeof deadLetterSummaryQuerySchema>,
  ): Promise<DeadLetterSummaryBody> {
    const counts = await this.readDeadLetters.count(filterOf({ organizationId, query }));
    return {
      data: counts.map(({ oldestOpenAt, newestOpenAt, ...count }) => ({ ...count, oldest_open_at: oldestOpenAt, newest_open_at: newestOpenAt })),
      open: counts.reduce((sum, { open }) => sum + open, 0),
    };
  }

  @Get(':id')
  @RequiredScope('usage:read')
  @ApiOperation({ summary: 'One dead letter, and what became of it' })
  @Answers({ schema: deadLetterSchema, problems: [404] })
  async one(@CurrentPrincipal() { organizationId }: Principal, @Param('id') id: string): Promise<DeadLetterBody> {
    return toDeadLetter(valueOrProblem(await this.readDeadLetters.find({ organizationId, deadLetterId: id }), { not_found: 404 }));
  }
}

function filterOf({ organizationId, query }: { organizationId: string; query: Partial<z.infer<typeof listQuery>> }): DeadLetterFilter {
  return {
    organizationId,
    kinds: query.kind === undefined ? null : [query.kind],
    code: query.code ?? null,
    source: query.source ?? null,
    state: query.state ?? null,
    eventId: query.event_id ?? null,
    ...queryRange(query),
  };
}

function toDeadLetter({ letter, became }: KeptDeadLetter): DeadLetterBody {
  const { organization: _organization, errors, received_at, ...rest } = letter;
  return {
    ...rest,
    object: 'dead_letter',
    errors: errors.map((error) => ({ ...error })),
    state: became.state,
    state_changed_at: became.changedAt,
    state_changed_by: became.changedBy,
    discard_reason: became.reason,
    replayed_as: became.replayedAs,
    changes: became.changes.map(({ pointer, from, to }) => ({
      pointer, ...(from === null ? {} : { from: exactJsonValue(from) }), ...(to === null ? {} : { to: exactJsonValue(to) }),
    })),
    received_at,
    created_at: received_at,
    metadata: {},
  };
}
