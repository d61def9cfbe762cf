import type { InvoiceDocument, PushOutcome } from '#platform';
import { describe, expect, it } from 'vitest';

import { sampleDocument, sampleLine, sampleParty } from './sample-documents.js';
import type { Script } from './scripted-outcomes.js';
import { openStripeFixture, stripePaymentsOf } from './stripe-fixture.js';
import type { StripeFixture } from './stripe-fixture.js';

// Goal: whatever becomes of any one call to Stripe, one document is one invoice with its exact lines and one payment.
// Method: for each call n of the sequence and each outcome, the first run meets that outcome at its n-th call; then runs follow, each by a
// provider that knows nothing of the earlier ones, until one is done. 120 lines are two calls of add_lines.

const lines = [...Array.from({ length: 119 }, (_, index) => sampleLine(`il_${index}`, BigInt(index))), sampleLine('il_discount', -21n)];
const totalCents = 7000; // 0 + 1 + … + 118 = 118 * 119 / 2 = 7021, less 21
/** list customers, create customer, list invoices, create invoice, list lines, add lines twice, retrieve, finalize, pay */
const callsOfCleanPush = 10;
const runsMax = 15;

const outcomes: Readonly<Record<string, Omit<Script, 'match'>>> = {
  'a 500 before it ran': { outcome: 'error_before' },
  'a 500 that is kept, though nothing ran': { outcome: 'error_stored' },
  'a 500 that is kept, though it ran': { outcome: 'error_after' },
  'a cut connection before it ran': { outcome: 'cut_before' },
  'a cut connection after it ran': { outcome: 'cut_after' },
  'a 429': { outcome: 'status', status: 429, code: 'rate_limit' },
  'a lock timeout that is kept': { outcome: 'error_stored', status: 429, code: 'lock_timeout' },
  'a 409 for a key in use': { outcome: 'status', status: 409, code: 'idempotency_key_in_use' },
  'a 503': { outcome: 'status', status: 503 },
  'a call that runs on after the connection was cut': { outcome: 'held' },
};

interface Variant {
  /** What a later run is given of what the first one learned. */
  readonly later: (document: InvoiceDocument, first: PushOutcome) => InvoiceDocument;
  readonly pauseMs: number;
}

const hourMs = 3_600_000;
const variants: Readonly<Record<string, Variant>> = {
  'and nothing remembered': { later: (document) => document, pauseMs: 60_000 },
  'and the ids remembered': { later: withKnownIds, pauseMs: 60_000 },
  'and the keys forgotten by then': { later: (document) => document, pauseMs: 25 * hourMs },
  'and the party renamed since': { later: (document) => ({ ...document, party: { ...document.party, name: 'Acme GmbH', email: 'new@acme.example' } }), pauseMs: 60_000 },
};

function withKnownIds(document: InvoiceDocument, first: PushOutcome): InvoiceDocument {
  if (first.kind === 'done') return document;
  return { ...document, providerId: first.known.providerId, party: { ...document.party, providerId: first.known.partyProviderId } };
}

describe('a push meets', () => {
  describe.each(Object.entries(outcomes))('%s', (_name, script) => {
    it.each(Object.entries(variants))('at each of its calls, %s', async (_variantName, variant) => {
      const fixture = await openStripeFixture({ cardOfNewCustomers: 'pm_card_visa' });
      for (let call = 0; call < callsOfCleanPush; call += 1) {
        await crashAt(fixture, { call, script, variant });
      }
      expect(fixture.double.schemaFaults).toEqual([]);
      await fixture.double.close();
    });
  });

  it.each([['timeout_before'], ['timeout_after']] as const)('%s at each of its calls', async (outcome) => {
    const fixture = await openStripeFixture({ cardOfNewCustomers: 'pm_card_visa' });
    const variant: Variant = { later: (document) => document, pauseMs: 60_000 };
    for (let call = 0; call < callsOfCleanPush; call += 1) await crashAt(fixture, { call, script: { outcome }, variant, timeoutMs: 300 });
    await fixture.double.close();
  });

  it('nothing, and makes as many calls as the tests above count on', async () => {
    const { double, newProvider } = await openStripeFixture({ cardOfNewCustomers: 'pm_card_visa' });
    expect(await newProvider().pushInvoice(sampleDocument({ lines }))).toMatchObject({ kind: 'done', payment: { status: 'taken' } });
    expect(double.journal.map((entry) => `${entry.method} ${entry.path.replace(/(in|cus)_\w+/, '*')}`)).toEqual([
      'GET /v1/customers',
      'POST /v1/customers',
      'GET /v1/invoices',
      'POST /v1/invoices',
      'GET /v1/invoices/*/lines',
      'POST /v1/invoices/*/add_lines',
      'POST /v1/invoices/*/add_lines',
      'GET /v1/invoices/*',
      'POST /v1/invoices/*/finalize',
      'POST /v1/invoices/*/pay',
    ]);
    await double.close();
  });
});

describe('two failures in one push', () => {
  const kinds = Object.values(outcomes);
  it.each(kinds.map((script, index) => [script.status === undefined ? script.outcome : `${script.outcome} ${script.status}`, script, index] as const))(
    '%s, then each of the others some calls later',
    async (_name, script, index) => {
      const fixture = await openStripeFixture({ cardOfNewCustomers: 'pm_card_visa' });
      for (const [other, second] of kinds.entries()) {
        const call = (index * 3 + other * 7) % callsOfCleanPush;
        const variant: Variant = { later: (document) => document, pauseMs: 60_000 };
        await crashAt(fixture, { call, script, variant, second: { ...second, skip: (index + other * 5) % 9 } });
      }
      await fixture.double.close();
    },
  );
});

let documents = 0;

interface Crash {
  readonly call: number;
  readonly script: Omit<Script, 'match'>;
  readonly variant: Variant;
  readonly timeoutMs?: number;
  /** Happens to a call of a later run. */
  readonly second?: Omit<Script, 'match'>;
}

async function crashAt(fixture: StripeFixture, crash: Crash): Promise<void> {
  const { double, clock } = fixture;
  const at = `call ${crash.call}`;
  documents += 1;
  const party = sampleParty({ id: `cus_${documents}`, email: `billing${documents}@acme.example`, firstPushAt: clock.now() });
  const document = sampleDocument({ id: `inv_${documents}`, number: `TW-${documents}`, party, lines });
  const options = crash.timeoutMs === undefined ? {} : { timeoutMs: crash.timeoutMs };

  double.script({ match: '*', skip: crash.call, ...crash.script });
  const first = await fixture.newProvider(options).pushInvoice(document);
  expect(double.scriptsWaiting, at).toBe(0);
  expect(first.kind, at).toMatch(/^(unknown|retry_later)$/);
  if (crash.second !== undefined) double.script({ match: '*', ...crash.second });
  const later = crash.variant.later(document, first);

  let last: PushOutcome = first;
  for (let run = 1; run < runsMax && last.kind !== 'done'; run += 1) {
    // A call that runs on lands while later runs are already asking, but it does not run for a day.
    if (run === 3 || crash.variant.pauseMs > 24 * hourMs) double.releaseHeld();
    clock.advance(crash.variant.pauseMs);
    last = await fixture.newProvider(options).pushInvoice(later);
    expect(last.kind, `${at}: ${JSON.stringify(last, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))}`).not.toBe('refused');
  }
  double.clearScripts();
  double.releaseHeld();
  expectOneOfEach(fixture, document, at);
  expect(last, at).toMatchObject({ kind: 'done', payment: { status: 'taken' } });
}

function expectOneOfEach({ double }: StripeFixture, document: InvoiceDocument, at: string): void {
  const { state } = double;
  const customers = [...state.customers.values()].filter((row) => row.metadata['tollway_customer'] === document.party.id);
  const invoices = [...state.invoices.values()].filter((row) => row.metadata['tollway_invoice'] === document.id);
  expect([customers.length, invoices.length], at).toEqual([1, 1]);
  expect(invoices[0]?.status, at).toBe('paid');
  expect(invoices[0]?.lines.map((line) => [line.metadata['tollway_line'], line.amount]), at).toEqual(lines.map((line) => [line.id, Number(line.amountMinor)]));
  expect(stripePaymentsOf(double, document.id), at).toEqual([totalCents]);
}
