import { decodeUsageRecord, encodeDeadLetterStateRecord, topics, usageEventKey, type EventsAnswerBody, type UsageRecord } from '#contracts';
import { changedMembers, defaultSource, parseExactNumbers, textOfInstant, toMicroInstant, type ChangedMember } from '#domain';
import type { KeptDeadLetter } from '#persistence';
import { accepted, refused, type Clock, type EventLog, type Outcome } from '#platform';
import type { AcceptEvents } from './accept-events.js';
import { exactEvent } from './formats/json-events.js';
import type { ReceivedEvent } from './received-batch.js';

export interface DeadLetterKey {
  readonly organizationId: string;
  readonly deadLetterId: string;
}

export interface ReplayDeadLetterDependencies {
  readonly acceptEvents: AcceptEvents;
  readonly log: EventLog;
  readonly clock: Clock;
  /** Null where the organization has no such dead letter. */
  readonly findDeadLetter: (key: DeadLetterKey) => Promise<KeptDeadLetter | null>;
}

export interface ReplayCommand extends DeadLetterKey {
  /** The event as it should have been, its numbers exact; undefined posts what was sent as it was. */
  readonly correctedEvent: unknown;
  readonly credentialId: string;
}

export interface ReplayedLetter {
  readonly answer: EventsAnswerBody;
  /** Null where it was refused again. */
  readonly replayedAs: { readonly source: string; readonly id: string } | null;
  readonly changes: readonly ChangedMember[];
}

export type ReplayRefusal = 'not_found' | 'not_replayable' | 'already_replayed';

type Identity = NonNullable<ReplayedLetter['replayedAs']>;

/**
 * Posts what a dead letter holds once more, as the same organization: a refused event goes through all checks again, a
 * log record that could not be handled goes back into the log as it was. A conflict stays one under its own identity, so
 * it needs a corrected event. The letter's new state goes into the log behind the event: whoever dies between leaves it
 * open, and a second replay is a duplicate.
 */
export class ReplayDeadLetter {
  constructor(private readonly deps: ReplayDeadLetterDependencies) {}

  async execute(command: ReplayCommand): Promise<Outcome<ReplayedLetter, ReplayRefusal>> {
    const kept = await this.deps.findDeadLetter(command);
    return kept === null ? refused('not_found', 'There is no such dead letter.') : this.replay(kept, command);
  }

  /** A letter that was read before. */
  async replay(kept: KeptDeadLetter, { correctedEvent, credentialId }: Pick<ReplayCommand, 'correctedEvent' | 'credentialId'>): Promise<Outcome<ReplayedLetter, ReplayRefusal>> {
    if (kept.became.state === 'replayed') return earlierReplay(kept, correctedEvent);
    const replayed = correctedEvent === undefined ? await this.postAgain(kept) : await this.postCorrected(kept, correctedEvent);
    if (replayed.ok && replayed.value.replayedAs !== null) await this.noteReplayed(kept, replayed.value, credentialId);
    return replayed;
  }

  private async postAgain(kept: KeptDeadLetter): Promise<Outcome<ReplayedLetter, ReplayRefusal>> {
    const { kind, payload } = kept.letter;
    if (kind === 'identity_conflict') {
      return refused('not_replayable', 'The identity of this event is taken by another one, which is counted. Replay it with a corrected event that has an id of its own.');
    }
    if (kind === 'poison') return this.appendAgain(kept);
    const value = parsed(payload);
    if (value === undefined) return refused('not_replayable', 'What was sent is no whole JSON, so it can not become an event. Replay it with a corrected event.');
    return accepted(await this.accept(kept, { received: exactEvent(value, payload), changes: [] }));
  }

  private async postCorrected(kept: KeptDeadLetter, event: unknown): Promise<Outcome<ReplayedLetter, ReplayRefusal>> {
    const { kind, event_source: source, event_id: id, payload } = kept.letter;
    const identity = identityOf(event);
    if (kind === 'identity_conflict' && identity.source === source && identity.id === id) {
      return refused('not_replayable', 'The identity of this event is taken by another one, which is counted. Give the corrected event an id of its own.');
    }
    const sent = parsed(payload) === undefined ? payload : parseExactNumbers(payload);
    return accepted(await this.accept(kept, { received: { value: event }, changes: changedMembers(sent, event) }));
  }

  private async accept(kept: KeptDeadLetter, { received, changes }: { received: ReceivedEvent; changes: readonly ChangedMember[] }): Promise<ReplayedLetter> {
    const batch = { events: [received], payloadOf: () => kept.letter.payload };
    const answer = await this.deps.acceptEvents.execute({ organizationId: kept.letter.organization, batch, keepsAllRefused: false });
    const { source, id } = identityOf(received.value);
    return { answer, replayedAs: answer.accepted === 1 && source !== null && id !== null ? { source, id } : null, changes };
  }

  private async appendAgain({ letter: { payload, organization } }: KeptDeadLetter): Promise<Outcome<ReplayedLetter, ReplayRefusal>> {
    const record = recordOrNull(payload);
    if (record === null || record.organization !== organization) return refused('not_replayable', 'What could not be handled is no whole usage event. Replay it with a corrected event.');
    await this.deps.log.append(topics.usageEvents, [{ key: usageEventKey(record), value: payload }]);
    return accepted({ answer: { accepted: 1, rejected: [] }, replayedAs: { source: record.source, id: record.id }, changes: [] });
  }

  private async noteReplayed({ letter }: KeptDeadLetter, replayed: ReplayedLetter, credentialId: string): Promise<void> {
    const value = encodeDeadLetterStateRecord({
      v: 2, kind: 'state', id: letter.id, organization: letter.organization, received_at: letter.received_at, state: 'replayed', changed_at: textOfInstant(toMicroInstant(this.deps.clock.now())),
      changed_by: credentialId, reason: null, event_source: replayed.replayedAs?.source ?? null, event_id: replayed.replayedAs?.id ?? null, changes: replayed.changes,
    });
    await this.deps.log.append(topics.deadLetters, [{ key: letter.organization, value }]);
  }
}

/** What was replayed is answered as it was then, unless something else is to become of it now. */
function earlierReplay({ became }: KeptDeadLetter, correctedEvent: unknown): Outcome<ReplayedLetter, ReplayRefusal> {
  const { source, id } = identityOf(correctedEvent);
  if (correctedEvent !== undefined && (source !== became.replayedAs?.source || id !== became.replayedAs.id)) {
    return refused('already_replayed', 'This dead letter was replayed as another event before. Post the event itself instead.');
  }
  return accepted({ answer: { accepted: 1, rejected: [] }, replayedAs: became.replayedAs, changes: became.changes });
}

/** The identity that an event would have, as far as it says one. */
function identityOf(event: unknown): { readonly [Part in keyof Identity]: string | null } {
  if (typeof event !== 'object' || event === null) return { source: null, id: null };
  const { source, id } = event as { source?: unknown; id?: unknown };
  return { source: textOrNull(source ?? defaultSource), id: textOrNull(id) };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function parsed(payload: string): unknown {
  try {
    return JSON.parse(payload) as unknown;
  } catch {
    return undefined;
  }
}

function recordOrNull(payload: string): UsageRecord | null {
  try {
    return decodeUsageRecord(payload);
  } catch {
    return null;
  }
}
