import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  correctionListFields, correctionListSchema, eventDataFilters, eventListFields, eventListSchema, filteredQuerySchema, queryRange, type CorrectionListBody, type EventListBody,
} from '#contracts';
import { encodeCursor, type CorrectionInList } from '#persistence';
import { Answers, CurrentPrincipal, listQuerySchema, RequiredScope, toListPage, valueOrProblem, type Principal } from '#platform';
import { ListCorrections } from '../list-corrections.js';
import { ListEvents, type ListEventsCode } from '../list-events.js';
import { toCorrection, toEvent } from './reading-bodies.js';

const eventsQuerySchema = filteredQuerySchema({ ...listQuerySchema.shape, ...eventListFields }, 'data');
const correctionsQuerySchema = z.strictObject({ ...listQuerySchema.shape, ...correctionListFields });
const statuses: Readonly<Record<ListEventsCode, number>> = { not_found: 404, invalid_request: 422, search_too_wide: 422 };

@ApiTags('events')
@Controller()
export class EventController {
  constructor(
    @Inject(ListEvents) private readonly listEvents: ListEvents,
    @Inject(ListCorrections) private readonly listCorrections: ListCorrections,
  ) {}

  @Get('v1/events')
  @RequiredScope('usage:read')
  @ApiOperation({ summary: 'List events with what became of them', description: 'Newest event time first. Duplicates and conflicts are listed for as long as they are recognised. An amended or voided event has what was done to it. A search by data, by a meter or by what is counted needs from and to, at most 31 days apart, and reads at most 20 million events.' })
  @ApiQuery({ name: 'data[path]', required: false, description: 'Only events whose data has this text at the path, such as data[user.id]=7, or one of these where it is given several times. Numbers compare in shortest form; nothing and null are the empty text.' })
  @Answers({ schema: eventListSchema, problems: [404, 422] })
  async events(@CurrentPrincipal() principal: Principal, @Query({ schema: eventsQuerySchema }) query: z.infer<typeof eventsQuerySchema>): Promise<EventListBody> {
    const listed = await this.listEvents.execute(principal.organizationId, {
      page: toListPage(query),
      type: query.type ?? null,
      subject: query.subject ?? null,
      customer: query.customer ?? null,
      source: query.source ?? null,
      id: query.id ?? null,
      state: query.state ?? null,
      meter: query.meter ?? null,
      data: eventDataFilters(query),
      ...queryRange(query),
    });
    const { events, hasMore } = valueOrProblem(listed, statuses);
    return { data: events.map(toEvent), has_more: hasMore };
  }

  @Get('v1/events/corrections')
  @RequiredScope('usage:read')
  @ApiOperation({ summary: 'List what was voided and amended, by whom and why', description: 'Newest receipt first, for ever: also what waits for its event, and what came when the event’s hour was sealed.' })
  @Answers({ schema: correctionListSchema, problems: [422] })
  async corrections(@CurrentPrincipal() principal: Principal, @Query({ schema: correctionsQuerySchema }) query: z.infer<typeof correctionsQuerySchema>): Promise<CorrectionListBody> {
    const asked = { page: toListPage(query), kind: query.kind ?? null, source: query.source ?? null, id: query.id ?? null };
    const { corrections, hasMore } = valueOrProblem(await this.listCorrections.execute(principal.organizationId, asked), statuses);
    return { data: corrections.map(toListedCorrection), has_more: hasMore };
  }
}

function toListedCorrection(correction: CorrectionInList): CorrectionListBody['data'][number] {
  const { cursor, source, id, receivedAt } = correction;
  return { id: encodeCursor(cursor), object: 'event_correction', ...toCorrection(correction), event_source: source, event_id: id, created_at: receivedAt, metadata: {} };
}
