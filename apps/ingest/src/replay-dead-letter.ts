import { decodeUsageEventRecord, topics, usageEventKey, type EventsAnswerBody } from '#contracts';
import { accepted, refused, type EventLog, type Outcome } from '#platform';
import type { AcceptEvents } from './accept-events.js';
import { exactEvent } from './formats/json-events.js';

/** What ingest needs to know of a dead letter; the aggregator's read model gives it. */
export interface ReplayableDeadLetter {
  readonly kind: 'refused' | 'identity_conflict' | 'poison';
  readonly payload: string;
}

export interface DeadLetterKey {
  readonly organizationId: string;
  readonly deadLetterId: string;
}

export interface ReplayDeadLetterDependencies {
  readonly acceptEvents: AcceptEvents;
  readonly log: EventLog;
  /** Null where the organization has no such dead letter. */
  readonly readDeadLetter: (key: DeadLetterKey) => Promise<ReplayableDeadLetter | null>;
}

export type ReplayRefusal = 'not_found' | 'not_replayable';

/**
 * Posts what a dead letter holds once more, as the same organization: a refused event goes through all checks again, a
 * log record that could not be handled goes back into the log as it was. A conflict stays one however often it is posted.
 */
export class ReplayDeadLetter {
  constructor(private readonly deps: ReplayDeadLetterDependencies) {}

  async execute(key: DeadLetterKey): Promise<Outcome<EventsAnswerBody, ReplayRefusal>> {
    const letter = await this.deps.readDeadLetter(key);
    if (letter === null) return refused('not_found', 'There is no such dead letter.');
    if (letter.kind === 'identity_conflict') {
      return refused('not_replayable', 'The identity of this event is taken by another one, which is counted. Post it under an id of its own.');
    }
    return letter.kind === 'poison' ? this.appendAgain(letter, key) : this.acceptAgain(letter, key);
  }

  private async acceptAgain({ payload }: ReplayableDeadLetter, { organizationId }: DeadLetterKey): Promise<Outcome<EventsAnswerBody, ReplayRefusal>> {
    const value = parsed(payload);
    if (value === undefined) return refused('not_replayable', 'What was sent is no whole JSON, so it can not become an event.');
    const batch = { events: [exactEvent(value, payload)], payloadOf: () => payload };
    return accepted(await this.deps.acceptEvents.execute({ organizationId, batch, keepsAllRefused: false }));
  }

  private async appendAgain({ payload }: ReplayableDeadLetter, { organizationId }: DeadLetterKey): Promise<Outcome<EventsAnswerBody, ReplayRefusal>> {
    const record = recordOrNull(payload);
    if (record === null || record.organization !== organizationId) return refused('not_replayable', 'What could not be handled is no whole usage event.');
    await this.deps.log.append(topics.usageEvents, [{ key: usageEventKey(record), value: payload }]);
    return accepted({ accepted: 1, rejected: [] });
  }
}

function parsed(payload: string): unknown {
  try {
    return JSON.parse(payload) as unknown;
  } catch {
    return undefined;
  }
}

function recordOrNull(payload: string): ReturnType<typeof decodeUsageEventRecord> | null {
  try {
    return decodeUsageEventRecord(payload);
  } catch {
    return null;
  }
}
