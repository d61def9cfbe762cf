import { z } from 'zod';

export const ratingQueue = 'rating';

/** Rate the open periods of these subscriptions as they stand now. */
export const rateOpenSchema = z.object({ organizationId: z.string(), subscriptionIds: z.array(z.string()).min(1).max(200) });

/** Rate these ended periods for the last time. Asked for by invoicing, once every event of theirs is counted. */
export const rateFinalSchema = z.object({
  organizationId: z.string(),
  periods: z.array(z.object({ subscriptionId: z.string(), periodIndex: z.number().int(), start: z.string(), end: z.string() })).min(1).max(200),
});

export type RateOpenPayload = z.infer<typeof rateOpenSchema>;
export type RateFinalPayload = z.infer<typeof rateFinalSchema>;

/** The queue of invoicing, and the job that looks for what is due; sent by whoever made something due. */
export const invoicingQueue = 'invoicing';
export const sweepJob = { name: 'sweep', payload: {}, deduplicationId: 'sweep' } as const;
