import type { DeadLetterCount, DeadLetterFilter, DeadLetterStore, KeptDeadLetter } from '#persistence';
import { accepted, refused, type ListPage, type Outcome } from '#platform';

/** What was refused, contradicted or could not be read, and what became of it. */
export class ReadDeadLetters {
  constructor(private readonly store: DeadLetterStore) {}

  /** Newest receipt first. */
  async list(filter: DeadLetterFilter, page: ListPage): Promise<{ letters: KeptDeadLetter[]; hasMore: boolean }> {
    const { limit, startingAfter, endingBefore } = page;
    const isBackwards = startingAfter === null && endingBefore !== null;
    const found = await this.store.list({ ...filter, startingAfter, endingBefore: isBackwards ? endingBefore : null, isOldestFirst: false, limit: limit + 1 });
    const hasMore = found.length > limit;
    return { letters: isBackwards ? found.slice(hasMore ? 1 : 0) : found.slice(0, limit), hasMore };
  }

  async find(key: { readonly organizationId: string; readonly deadLetterId: string }): Promise<Outcome<KeptDeadLetter, 'not_found'>> {
    const letter = await this.store.find(key);
    return letter === null ? refused('not_found', 'There is no such dead letter.') : accepted(letter);
  }

  count(filter: DeadLetterFilter): Promise<DeadLetterCount[]> {
    return this.store.count(filter);
  }
}
