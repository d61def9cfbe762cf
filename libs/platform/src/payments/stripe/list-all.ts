import type Stripe from 'stripe';

import { refusal } from '../payment-outcome.js';

import type { Step, StripeCaller } from './stripe-caller.js';

const pageSize = 100;
const pagesMax = 100;

export interface Listing<T> {
  readonly call: string;
  readonly page: (stripe: Stripe, paging: { limit: number; starting_after?: string }) => Promise<Stripe.Response<Stripe.ApiList<T>>>;
  readonly keep: (item: T) => boolean;
}

/** Every kept object of a list, newest first. Lists show what was just written; Stripe's search may lag by an hour and is never asked. */
export async function listAll<T extends { id: string }>(caller: StripeCaller, listing: Listing<T>): Promise<Step<T[]>> {
  const kept: T[] = [];
  let after: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const paging = after === undefined ? { limit: pageSize } : { limit: pageSize, starting_after: after };
    const result = await caller.read(listing.call, (stripe) => listing.page(stripe, paging));
    if (!result.ok) return result;
    kept.push(...result.value.data.filter(listing.keep));
    after = result.value.data.at(-1)?.id;
    if (!result.value.has_more || after === undefined) return { ok: true, value: kept };
  }
  return { ok: false, failure: refusal('search_too_wide', `${listing.call}: more than ${pagesMax * pageSize} objects to look through.`) };
}
