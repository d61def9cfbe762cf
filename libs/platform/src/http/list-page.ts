import { z } from 'zod';

export const listLimitMax = 100;
export const listLimitDefault = 20;

/** The query of every list. A limit out of bounds is refused, not silently changed. */
export const listQuerySchema = z.strictObject({
  limit: z.string().regex(/^\d{1,3}$/, 'Give a whole number from 1 to 100.').refine((text) => Number(text) >= 1 && Number(text) <= listLimitMax, 'Give a whole number from 1 to 100.').optional(),
  starting_after: z.string().max(200).optional(),
  ending_before: z.string().max(200).optional(),
});

export interface ListPage {
  readonly limit: number;
  readonly startingAfter: string | null;
  readonly endingBefore: string | null;
}

export function toListPage(query: z.infer<typeof listQuerySchema>): ListPage {
  return {
    limit: query.limit === undefined ? listLimitDefault : Number(query.limit),
    startingAfter: query.starting_after ?? null,
    endingBefore: query.ending_before ?? null,
  };
}

export interface ListBody<T> {
  readonly data: readonly T[];
  readonly has_more: boolean;
}
