import { encodeDeadLetterStateRecord, topics, type DeadLetterStateRecord } from '#contracts';
import { textOfInstant, toMicroInstant } from '#domain';
import type { KeptDeadLetter } from '#persistence';
import { accepted, refused, type Clock, type EventLog, type NewLogRecord, type Outcome } from '#platform';
import type { DeadLetterKey } from './replay-dead-letter.js';

export interface DiscardDeadLetterDependencies {
  readonly log: EventLog;
  readonly clock: Clock;
  /** Null where the organization has no such dead letter. */
  readonly findDeadLetter: (key: DeadLetterKey) => Promise<KeptDeadLetter | null>;
}

export interface DiscardCommand {
  readonly reason: string | null;
  readonly credentialId: string;
}

export type DiscardRefusal = 'not_found' | 'already_replayed';

/** Puts a dead letter aside: nothing will become of it. It is kept, and can still be replayed. */
export class DiscardDeadLetter {
  constructor(private readonly deps: DiscardDeadLetterDependencies) {}

  async execute(key: DeadLetterKey, command: DiscardCommand): Promise<Outcome<{ id: string; state: 'discarded' }, DiscardRefusal>> {
    const kept = await this.deps.findDeadLetter(key);
    if (kept === null) return refused('not_found', 'There is no such dead letter.');
    if (kept.became.state === 'replayed') return refused('already_replayed', 'This dead letter was replayed: its event is counted.');
    if (kept.became.state === 'open') await this.discard([kept], command);
    return accepted({ id: kept.letter.id, state: 'discarded' });
  }

  /** Open letters that were read before, in one append. */
  async discard(kept: readonly KeptDeadLetter[], { reason, credentialId }: DiscardCommand): Promise<void> {
    if (kept.length === 0) return;
    const changedAt = textOfInstant(toMicroInstant(this.deps.clock.now()));
    const records = kept.map(({ letter }): NewLogRecord => {
      const record: DeadLetterStateRecord = {
        v: 2, kind: 'state', id: letter.id, organization: letter.organization, received_at: letter.received_at, state: 'discarded', changed_at: changedAt, changed_by: credentialId,
        reason, event_source: null, event_id: null, changes: [],
      };
      return { key: letter.organization, value: encodeDeadLetterStateRecord(record) };
    });
    await this.deps.log.append(topics.deadLetters, records);
  }
}
