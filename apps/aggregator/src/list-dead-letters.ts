import type { DeadLetter, DeadLetterStore } from '#persistence';
import type { ListPage } from '#platform';

/** What was refused, contradicted or could not be read, newest first. */
export class ListDeadLetters {
  constructor(private readonly store: DeadLetterStore) {}

  async execute(organizationId: string, query: { page: ListPage; kind: string | null; code: string | null }): Promise<{ letters: DeadLetter[]; hasMore: boolean }> {
    const { limit, startingAfter, endingBefore } = query.page;
    const isBackwards = startingAfter === null && endingBefore !== null;
    const found = await this.store.list({ organizationId, kind: query.kind, code: query.code, startingAfter, endingBefore: isBackwards ? endingBefore : null, limit: limit + 1 });
    const hasMore = found.length > limit;
    return { letters: isBackwards ? found.slice(hasMore ? 1 : 0) : found.slice(0, limit), hasMore };
  }
}
