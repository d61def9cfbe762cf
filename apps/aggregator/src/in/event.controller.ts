import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { deadLetterListFields, deadLetterListSchema, eventListFields, eventListSchema, type DeadLetterBody, type DeadLetterListBody, type EventListBody } from '#contracts';
import { encodeCursor, exactJsonValue, type DeadLetter } from '#persistence';
import { Answers, CurrentPrincipal, listQuerySchema, RequiredScope, toListPage, valueOrProblem, type Principal } from '#platform';
import { ListDeadLetters } from '../list-dead-letters.js';
import { ListEvents, type EventWithState, type ListEventsCode } from '../list-events.js';

const eventsQuerySchema = z.strictObject({ ...listQuerySchema.shape, ...eventListFields });
const deadLettersQuerySchema = z.strictObject({ ...listQuerySchema.shape, ...deadLetterListFields });
const statuses: Readonly<Record<ListEventsCode, number>> = { not_found: 404, invalid_request: 422 };

@ApiTags('events')
@Controller()
export class EventController {
  constructor(
    @Inject(ListEvents) private readonly listEvents: ListEvents,
    @Inject(ListDeadLetters) private readonly listDeadLetters: ListDeadLetters,
  ) {}

  @Get('v1/events')
  @RequiredScope('usage:read')
  @ApiOperation({ summary: 'List events with what became of them', description: 'Newest event time first. Duplicates and conflicts are listed for as long as they are recognised.' })
  @Answers({ schema: eventListSchema, problems: [404, 422] })
  async events(@CurrentPrincipal() principal: Principal, @Query({ schema: eventsQuerySchema }) query: z.infer<typeof eventsQuerySchema>): Promise<EventListBody> {
    const listed = await this.listEvents.execute(principal.organizationId, {
      page: toListPage(query),
      type: query.type ?? null,
      subject: query.subject ?? null,
      customer: query.customer ?? null,
      source: query.source ?? null,
      id: query.id ?? null,
      from: instantOf(query.from),
      to: instantOf(query.to),
    });
    const { events, hasMore } = valueOrProblem(listed, statuses);
    return { data: events.map(toEvent), has_more: hasMore };
  }

  @Get('v1/dead-letters')
  @RequiredScope('usage:read')
  @ApiOperation({ summary: 'List what was refused, contradicted or could not be read', description: 'Newest receipt first. A conflict holds both payloads.' })
  @Answers({ schema: deadLetterListSchema, problems: [422] })
  async deadLetters(@CurrentPrincipal() principal: Principal, @Query({ schema: deadLettersQuerySchema }) query: z.infer<typeof deadLettersQuerySchema>): Promise<DeadLetterListBody> {
    const { letters, hasMore } = await this.listDeadLetters.execute(principal.organizationId, { page: toListPage(query), kind: query.kind ?? null, code: query.code ?? null });
    return { data: letters.map(toDeadLetter), has_more: hasMore };
  }
}

/** A bound finer than a microsecond means the next one. */
function instantOf(text: string | undefined): Temporal.Instant | null {
  return text === undefined ? null : Temporal.Instant.from(text).round({ smallestUnit: 'microsecond', roundingMode: 'ceil' });
}

function toEvent(event: EventWithState): EventListBody['data'][number] {
  return {
    id: event.id,
    object: 'event',
    source: event.source,
    type: event.type,
    subject: event.subject,
    customer: event.customerId,
    time: event.time,
    received_at: event.receivedAt,
    created_at: event.receivedAt,
    data: exactJsonValue(event.data) as Record<string, unknown>, // An object: ingest takes nothing else.
    state: event.state,
    meters: [...event.meters],
    reasons: event.reasons.map((reason) => ({ ...reason })),
    cursor: encodeCursor(event.cursor),
    metadata: {},
  };
}

function toDeadLetter({ organization: _organization, ...letter }: DeadLetter): DeadLetterBody {
  return { ...letter, errors: letter.errors.map((error) => ({ ...error })), object: 'dead_letter', created_at: letter.received_at, metadata: {} };
}
