import type Stripe from 'stripe';

import type { Clock } from '../../clock/clock.js';
import type { Party } from '../payment-document.js';

import { keyedCall } from './keyed-call.js';
import { listAll } from './list-all.js';
import { metadataKeys } from './metadata-keys.js';
import type { Step, StripeCaller } from './stripe-caller.js';

/** Stripe's customers of one party. There is one, unless two were made by hand or by an answer that came a day late. */
export interface StripeParty {
  /** Where new documents go. */
  readonly primary: string;
  /** Where a document of the party may be. */
  readonly all: readonly string[];
}

const nameLengthMax = 256;
/** Stripe's clock and ours may differ by this much. */
const skew = Temporal.Duration.from({ hours: 1 });
/** Stripe keeps a key for 24 hours; what a spent key did was done after that. */
const keyLife = Temporal.Duration.from({ hours: 25 });
/** So long after the first push its key is sure to be known still, whatever the clocks say. */
const keySurelyKnown = Temporal.Duration.from({ hours: 12 });

/** Finds the party's customer, and null where absence is as good as proven. */
export async function findCustomer(caller: StripeCaller, party: Party, since: Temporal.Instant | null): Promise<Step<StripeParty | null>> {
  if (party.providerId !== null) return { ok: true, value: { primary: party.providerId, all: [party.providerId] } };
  if (party.email !== null) {
    const byEmail = await list(caller, party, { email: party.email });
    if (!byEmail.ok || byEmail.value !== null) return byEmail;
  }
  // The mailbox may have changed since. Only a party that was pushed before can be there, and not before that push.
  if (since === null) return { ok: true, value: null };
  return list(caller, party, { created: { gte: Math.floor(since.subtract(skew).epochMilliseconds / 1000) } });
}

export async function ensureCustomer(caller: StripeCaller, party: Party, clock: Clock): Promise<Step<StripeParty>> {
  // While Stripe knows the key it answers with the customer that it made. Listing all that are new, for each new party, would be a square of calls.
  const mayBeForgotten = party.firstPushAt !== null && Temporal.Instant.compare(party.firstPushAt.add(keySurelyKnown), clock.now()) < 0;
  const found = await findCustomer(caller, party, mayBeForgotten ? party.firstPushAt : null);
  if (!found.ok) return found;
  if (found.value !== null) return { ok: true, value: found.value };
  const params: Stripe.CustomerCreateParams = {
    name: party.name.slice(0, nameLengthMax),
    ...(party.email === null ? {} : { email: party.email }),
    metadata: { [metadataKeys.party]: party.id },
  };
  const made = await keyedCall<StripeParty | Stripe.Customer>(caller, {
    call: 'create_customer',
    ourId: party.id,
    send: (stripe, options) => stripe.customers.create(params, options),
    read: () => findCustomer(caller, party, party.firstPushAt ?? clock.now().subtract(keyLife)),
    canBeUndone: true,
  });
  if (!made.ok) return made;
  return { ok: true, value: 'primary' in made.value ? made.value : { primary: made.value.id, all: [made.value.id] } };
}

async function list(caller: StripeCaller, party: Party, filter: Stripe.CustomerListParams): Promise<Step<StripeParty | null>> {
  const found = await listAll(caller, {
    call: 'list_customers',
    page: (stripe, paging) => stripe.customers.list({ ...filter, ...paging }),
    keep: (customer) => customer.metadata[metadataKeys.party] === party.id,
  });
  if (!found.ok) return found;
  // Newest first: the oldest is the one that every run agrees on.
  const oldest = found.value.at(-1);
  return { ok: true, value: oldest === undefined ? null : { primary: oldest.id, all: found.value.map((customer) => customer.id) } };
}
