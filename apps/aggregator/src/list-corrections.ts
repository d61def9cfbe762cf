import { decodeCursor, type CorrectionInList, type CorrectionStore } from '#persistence';
import { accepted, refused, type ListPage, type Outcome } from '#platform';

export interface ListCorrectionsQuery {
  readonly page: ListPage;
  readonly kind: CorrectionInList['kind'] | null;
  readonly source: string | null;
  readonly id: string | null;
}

/** All that was voided and amended, newest receipt first: also what waits for its event, or came too late for it. */
export class ListCorrections {
  constructor(private readonly store: CorrectionStore) {}

  async execute(organizationId: string, { page, ...filter }: ListCorrectionsQuery): Promise<Outcome<{ corrections: CorrectionInList[]; hasMore: boolean }, 'invalid_request'>> {
    const pointer = page.startingAfter === null ? '/ending_before' : '/starting_after';
    const given = page.startingAfter ?? page.endingBefore;
    const cursor = given === null ? null : decodeCursor(given);
    if (given !== null && cursor === null) return refused('invalid_request', 'The page can not be found.', [{ pointer, code: 'unknown_cursor', detail: 'Give the id of a correction of this list.' }]);
    const isBackwards = page.startingAfter === null && cursor !== null;
    const found = await this.store.list({ organizationId, ...filter, after: isBackwards ? null : cursor, before: isBackwards ? cursor : null, limit: page.limit + 1 });
    const hasMore = found.length > page.limit;
    return accepted({ corrections: isBackwards ? found.slice(hasMore ? 1 : 0) : found.slice(0, page.limit), hasMore });
  }
}
