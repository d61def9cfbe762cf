import { deadLettersPerCall, queryRange, type DeadLettersDiscard, type DeadLettersDiscardedBody, type DeadLettersReplay, type DeadLettersReplayedBody } from '#contracts';
import type { DeadLetterQuery, KeptDeadLetter } from '#persistence';
import type { DiscardDeadLetter } from './discard-dead-letter.js';
import type { ReplayDeadLetter } from './replay-dead-letter.js';

export interface WorkDownDependencies {
  readonly listDeadLetters: (query: DeadLetterQuery) => Promise<KeptDeadLetter[]>;
  readonly replayDeadLetter: ReplayDeadLetter;
  readonly discardDeadLetter: DiscardDeadLetter;
}

export interface Caller {
  readonly organizationId: string;
  readonly credentialId: string;
}

/** Letters in memory at a time: each may hold two payloads of 64 KiB. */
const lettersAtOnce = 50;

type Selection = DeadLettersReplay | DeadLettersDiscard;

/**
 * Goes through the open letters that fit, the oldest first. One that is refused again stays open, so a caller goes on
 * behind the last one that was looked at, instead of meeting it for ever.
 */
export class WorkDownDeadLetters {
  constructor(private readonly deps: WorkDownDependencies) {}

  async replay(caller: Caller, selection: DeadLettersReplay): Promise<DeadLettersReplayedBody> {
    let replayed = 0;
    const refused: DeadLettersReplayedBody['refused'] = [];
    const page = await this.eachPage(caller, { selection, kinds: [selection.kind ?? ['refused', 'poison']].flat() }, async (letters) => {
      const outcomes = await Promise.all(letters.map((kept) => this.deps.replayDeadLetter.replay(kept, { correctedEvent: undefined, credentialId: caller.credentialId })));
      for (const [index, outcome] of outcomes.entries()) {
        const refusal = outcome.ok ? outcome.value.answer.rejected[0] : outcome;
        if (refusal === undefined) replayed += 1;
        else refused.push({ dead_letter: letters[index]?.letter.id ?? '', code: refusal.code, detail: refusal.detail });
      }
    });
    return { replayed, refused, ...page };
  }

  async discard(caller: Caller, selection: DeadLettersDiscard): Promise<DeadLettersDiscardedBody> {
    let discarded = 0;
    const page = await this.eachPage(caller, { selection, kinds: selection.kind === undefined ? null : [selection.kind] }, async (letters) => {
      await this.deps.discardDeadLetter.discard(letters, { reason: selection.reason ?? null, credentialId: caller.credentialId });
      discarded += letters.length;
    });
    return { discarded, ...page };
  }

  private async eachPage(
    { organizationId }: Caller, { selection, kinds }: { selection: Selection; kinds: readonly string[] | null }, work: (letters: readonly KeptDeadLetter[]) => Promise<void>,
  ): Promise<{ has_more: boolean; last: string | null }> {
    let left = selection.limit ?? deadLettersPerCall;
    let last = selection.starting_after ?? null;
    for (;;) {
      const found = await this.deps.listDeadLetters({
        organizationId, kinds, code: selection.code ?? null, source: selection.source ?? null, state: 'open', eventId: null,
        ...queryRange(selection), startingAfter: last, endingBefore: null, isOldestFirst: true, limit: Math.min(left, lettersAtOnce) + 1,
      });
      const letters = found.slice(0, Math.min(left, lettersAtOnce));
      await work(letters);
      left -= letters.length;
      last = letters.at(-1)?.letter.id ?? last;
      const hasMore = found.length > letters.length;
      if (!hasMore || left === 0) return { has_more: hasMore, last };
    }
  }
}
