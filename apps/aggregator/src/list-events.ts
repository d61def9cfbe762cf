import { countingRule, eventState, isOfPart, meterParts, parseData, type CountingRule, type EventReason, type MeterPart } from '#domain';
import {
  decodeCursor, findMeters, readAttachments, readCustomer, type Attachment, type Database, type EventCursor, type EventQuery, type EventReader, type ListedEvent,
} from '#persistence';
import { accepted, Fault, refused, type ListPage, type Outcome } from '#platform';
import { eventSearch, type SearchMeters, type WantedEvents } from './event-search.js';

export type ListEventsCode = 'not_found' | 'invalid_request' | 'search_too_wide';

export interface ListEventsQuery extends WantedEvents {
  readonly page: ListPage;
  readonly type: string | null;
  readonly subject: string | null;
  readonly customer: string | null;
  readonly source: string | null;
  readonly id: string | null;
  /** Id or key of a meter that counts the events. */
  readonly meter: string | null;
}

export interface EventWithState extends ListedEvent {
  readonly customerId: string | null;
  readonly state: NonNullable<WantedEvents['state']>;
  readonly meters: readonly string[];
  readonly reasons: readonly EventReason[];
}

/** Copies that one event id is looked for among, where a page begins behind an id. */
const copiesOfIdMax = 100;

/** Events, newest first, each with what became of it. */
export class ListEvents {
  constructor(private readonly use: { readonly database: Database; readonly events: EventReader }) {}

  async execute(organizationId: string, query: ListEventsQuery): Promise<Outcome<{ events: EventWithState[]; hasMore: boolean }, ListEventsCode>> {
    const [attachments, meters] = [await this.attachmentsOf(organizationId, query.customer), await this.metersOf(organizationId, query)];
    if (attachments === undefined) return refused('not_found', 'There is no such customer.');
    if (meters === undefined) return refused('not_found', 'There is no such meter.');
    const { asked, faults } = eventSearch(query, meters);
    if (faults.length > 0) return refused('invalid_request', 'The question can not be answered.', faults);
    try {
      return await this.page({ organizationId, ...query, ...asked, attachments, after: null, before: null, limit: query.page.limit + 1 }, query.page);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'too_many_rows') throw error;
      return refused('search_too_wide', 'The search would read more than 20 million events. Ask for a shorter range, a type or a subject.');
    }
  }

  private async page(wanted: EventQuery, page: ListPage): Promise<Outcome<{ events: EventWithState[]; hasMore: boolean }, ListEventsCode>> {
    const { organizationId } = wanted;
    const after = await this.cursor(page.startingAfter, { wanted, isAfter: true });
    const before = await this.cursor(page.endingBefore, { wanted, isAfter: false });
    if (after === undefined || before === undefined) {
      const pointer = after === undefined ? '/starting_after' : '/ending_before';
      return refused('invalid_request', 'The page can not be found.', [{ pointer, code: 'unknown_cursor', detail: 'Give the cursor, or the id, of an event of this list.' }]);
    }
    const found = await this.use.events.list({ ...wanted, after, before: after === null ? before : null });
    const hasMore = found.length > page.limit;
    const events = after === null && before !== null ? found.slice(hasMore ? 1 : 0) : found.slice(0, page.limit);
    return accepted({ events: await this.withStates(organizationId, events), hasMore });
  }

  /** Null for all events; undefined where there is no such customer. */
  private attachmentsOf(organizationId: string, reference: string | null): Promise<Attachment[] | null | undefined> {
    return this.use.database.inOrganization(organizationId, async (manager) => {
      if (reference === null) return null;
      const customer = await readCustomer(manager, reference);
      return customer === null ? undefined : readAttachments(manager, { customerIds: [customer.id] });
    });
  }

  /** The meters that a search asks; undefined where there is no such meter. */
  private metersOf(organizationId: string, query: ListEventsQuery): Promise<SearchMeters | undefined> {
    const isCounting = query.state === 'counted' || query.state === 'not_counted';
    if (query.meter === null && !isCounting) return Promise.resolve({ meter: null, current: [] });
    return this.use.database.inOrganization(organizationId, async (manager) => {
      const current = isCounting ? await findMeters(manager, { ...(query.type === null ? {} : { eventTypes: [query.type] }), isCurrent: true }) : [];
      const [meter = null] = query.meter === null ? [] : await findMeters(manager, { reference: query.meter });
      return query.meter !== null && meter === null ? undefined : { meter, current };
    });
  }

  /** A cursor as it was given, or the place of the event with that id: its last copy in the list, or its first. */
  private async cursor(text: string | null, options: { wanted: EventQuery; isAfter: boolean }): Promise<EventCursor | null | undefined> {
    if (text === null) return null;
    const decoded = decodeCursor(text);
    if (decoded !== null) return decoded;
    const copies = await this.use.events.list({ ...options.wanted, id: text, limit: copiesOfIdMax });
    return copies.at(options.isAfter ? -1 : 0)?.cursor;
  }

  /** What became of each. */
  async withStates(organizationId: string, events: readonly ListedEvent[]): Promise<EventWithState[]> {
    if (events.length === 0) return [];
    const { meters, attachments } = await this.use.database.inOrganization(organizationId, async (manager) => ({
      meters: await findMeters(manager, { eventTypes: [...new Set(events.map(({ type }) => type))], isCurrent: true }),
      attachments: await readAttachments(manager, { subjects: [...new Set(events.map(({ subject }) => subject))] }),
    }));
    const parts = meters.flatMap(meterParts).map((part) => ({ key: part.key, part, rule: countingRule(part) }));
    return events.map((event) => {
      const customerId = attachments.find((attachment) => owns(attachment, event))?.customerId ?? null;
      return { ...event, customerId, ...stateOf(event, { parts, hasCustomer: customerId !== null }) };
    });
  }
}

function stateOf(event: ListedEvent, about: { parts: readonly { key: string; part: MeterPart; rule: CountingRule }[]; hasCustomer: boolean }): Pick<EventWithState, 'state' | 'meters' | 'reasons'> {
  if (event.verdict !== 'counted') return { state: event.verdict, meters: [], reasons: [] };
  const time = Temporal.Instant.from(event.time);
  const rules = about.parts.filter(({ part }) => isOfPart(part, { type: event.type, time }));
  const state = eventState({ data: parseData(event.data), hasCustomer: about.hasCustomer }, rules);
  return { state: state.meters.length > 0 ? 'counted' : 'not_counted', ...state };
}

/** Whether the subject was the customer's when the event happened. */
export function owns(attachment: Attachment, event: Pick<ListedEvent, 'subject' | 'time'>): boolean {
  if (attachment.subject !== event.subject) return false;
  const time = Temporal.Instant.from(event.time);
  const hasBegun = attachment.fromAt === null || Temporal.Instant.compare(attachment.fromAt, time) <= 0;
  return hasBegun && (attachment.toAt === null || Temporal.Instant.compare(time, attachment.toAt) < 0);
}
