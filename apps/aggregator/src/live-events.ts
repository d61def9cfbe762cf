import { LiveCopies, readAttachments, readCustomer, type Database, type LivePlace } from '#persistence';
import { accepted, Fault, refused, type Clock, type Outcome } from '#platform';
import type { EventWithState, ListEvents } from './list-events.js';

export interface LiveEventsQuery {
  readonly type: string | null;
  readonly subject: string | null;
  readonly source: string | null;
  readonly customer: string | null;
  /** Where to go on; null begins with what is counted from now on. */
  readonly after: LivePlace | null;
}

/** An event with the place behind it. */
export interface LiveEvent {
  readonly event: EventWithState;
  readonly place: LivePlace;
}

export type LiveEventStream = (signal: AbortSignal) => AsyncGenerator<LiveEvent | null>;

interface LiveEventsDependencies {
  readonly database: Database;
  readonly live: LiveCopies;
  readonly listEvents: ListEvents;
  readonly clock: Clock;
}

const lookEveryMs = 1_000;

/** Events as they are counted, each with what became of it; null wherever there is none for now. */
export class LiveEvents {
  constructor(private readonly use: LiveEventsDependencies) {}

  async open(organizationId: string, query: LiveEventsQuery): Promise<Outcome<LiveEventStream, 'not_found'>> {
    const customer = query.customer === null ? undefined : await this.use.database.inOrganization(organizationId, (manager) => readCustomer(manager, query.customer ?? ''));
    if (customer === null) return refused('not_found', 'There is no such customer.');
    const start = query.after ?? (await this.use.live.frontier(organizationId));
    return accepted((signal) => this.follow({ organizationId, query, customerId: customer?.id ?? null, start }, signal));
  }

  private async *follow(of: { organizationId: string; query: LiveEventsQuery; customerId: string | null; start: LivePlace }, signal: AbortSignal): AsyncGenerator<LiveEvent | null> {
    let place = of.start;
    while (!signal.aborted) {
      const batch = await this.next(of, place).catch(nothingWhileAway);
      for (const { event, place: behind } of batch?.events ?? []) yield { event, place: behind };
      place = batch?.place ?? place;
      if (batch?.hasMore === true) continue;
      yield null;
      await this.use.clock.sleep(lookEveryMs, signal).catch(() => undefined);
    }
  }

  /** What came after a place; null where nothing did. */
  private async next(of: { organizationId: string; query: LiveEventsQuery; customerId: string | null }, from: LivePlace): Promise<{ events: LiveEvent[]; place: LivePlace; hasMore: boolean } | null> {
    const { organizationId, query, customerId } = of;
    const to = await this.use.live.frontier(organizationId);
    if (!LiveCopies.isBehind(from, to)) return null;
    const subjects = customerId === null ? null : await this.subjectsOf({ organizationId, customerId });
    const copies = await this.use.live.read({ organizationId, type: query.type, subject: query.subject, source: query.source, subjects }, { from, to });
    const seen = new Map(from);
    const events: LiveEvent[] = [];
    for (const event of await this.use.listEvents.withStates(organizationId, copies)) {
      seen.set(event.cursor.partition, event.cursor.position);
      if (customerId === null || event.customerId === customerId) events.push({ event, place: new Map(seen) });
    }
    const full = new Set([...to.keys()].filter((partition) => LiveCopies.isFull(copies, partition)));
    for (const [partition, position] of to) if (!full.has(partition) && position > (seen.get(partition) ?? -1n)) seen.set(partition, position);
    return { events, place: seen, hasMore: full.size > 0 };
  }

  private async subjectsOf({ organizationId, customerId }: { readonly organizationId: string; readonly customerId: string }): Promise<string[]> {
    const attachments = await this.use.database.inOrganization(organizationId, (manager) => readAttachments(manager, { customerIds: [customerId] }));
    return [...new Set(attachments.map(({ subject }) => subject))];
  }
}

/** A store that is away for a moment ends no stream. */
export function nothingWhileAway(error: unknown): null {
  if (error instanceof Fault && error.retryable) return null;
  throw error;
}
