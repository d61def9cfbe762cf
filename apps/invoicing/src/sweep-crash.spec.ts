import { afterEach, describe, expect, it } from 'vitest';
import { SecretBox } from '#persistence';
import { makeIds, makeLogger, systemClock } from '#platform';
import { StripeDouble, usePostgres } from '#testing';
import { sweepSteps, type InvoicingContext, type SweepStep, type SweptOrganization } from './invoicing-context.js';
import { IssueInvoices } from './issue-invoices.js';
import { MakeInvoices } from './make-invoices.js';
import { PaymentProviders } from './payment-providers.js';
import { PushOutbox } from './push-outbox.js';
import { flat, InvoicingFixture, perUnit, summary } from './testing/invoicing-fixture.js';
import { MortalProcess } from './testing/mortal-process.js';

usePostgres();
let fixture: InvoicingFixture;
let double: StripeDouble;
afterEach(async () => {
  await fixture.close();
  await double.close();
});

const until = '2026-04-01T01:00:00Z';
const passesMax = 200;

/** Three months of a fee and usage, a second customer who was canceled and is owed money, and late usage of both a running and an ended subscription that commits to more than it used. */
async function story(): Promise<void> {
  fixture = await InvoicingFixture.open();
  double = await StripeDouble.start({ cardOfNewCustomers: 'pm_card_visa' });
  await fixture.plan([flat({ id: 'price_base', amount: '31.00' }), perUnit({ id: 'price_calls', amount: '0.01' })]);
  await fixture.plan([flat({ id: 'price_only', amount: '28.00' })], { id: 'plan_fee' });
  await fixture.customer('cus_a');
  await fixture.customer('cus_b');
  await fixture.setClock('2026-01-01T00:00:00Z');
  await fixture.subscribe({ id: 'sub_a', startAt: '2026-01-01T00:00:00Z' });
  await fixture.subscribe({ id: 'sub_b', customerId: 'cus_b', planId: 'plan_fee', startAt: '2026-02-01T00:00:00Z' });
  await fixture.cancel('sub_b', { at: '2026-02-15T00:00:00Z' });
  await fixture.subscribe({ id: 'sub_c', customerId: 'cus_b', planId: 'plan_fee', startAt: '2026-03-01T00:00:00Z' });
  await fixture.cancel('sub_c', { at: '2026-04-01T00:00:00Z' });
  await fixture.plan([perUnit({ id: 'price_used', amount: '0.01' })], { id: 'plan_use' });
  await fixture.customer('cus_d');
  await fixture.subscribe({ id: 'sub_d', customerId: 'cus_d', planId: 'plan_use', startAt: '2026-01-01T00:00:00Z', minimumCommitment: { amount: '1.20', per: 'billing_period' } });
  await fixture.cancel('sub_d', { at: '2026-02-01T00:00:00Z' });
  const rating = fixture.rating();
  let lateCalls = 0;
  rating.quantityOf = ({ periodIndex }) => String(periodIndex * 100 + (periodIndex === 1 ? lateCalls : 0));
  rating.beforeFinal = async ({ subscriptionId, periodIndex }) => {
    if (subscriptionId !== 'sub_a' || periodIndex === 1) return;
    lateCalls = 75;
    await rating.rateClosed(periodIndex === 2 ? 'sub_a' : 'sub_d');
  };
}

const expected = [
  'paid 2026-01-01/2026-02-01 3100: advance 3100',
  'paid 2026-02-01/2026-03-01 2800: advance 2800',
  'paid 2026-01-01/2026-02-01 3200: usage 100, advance 3100',
  'paid 2026-01-01/2026-02-01 120: usage 100, minimum 20',
  'paid 2026-02-15/2026-03-01 0: proration -1400, carried_over 1400', // 14 of 28 days of 28.00
  'paid 2026-03-01/2026-04-01 1400: carried_over -1400, advance 2800', // 28.00 - 14.00
  'paid 2026-02-01/2026-03-01 3375: usage 200, adjustment 75, advance 3100', // 75 late calls of January
  'paid 2026-03-01/2026-04-01 3400: usage 300, advance 3100',
  'paid 2026-01-01/2026-02-01 55: adjustment 75, adjustment -20', // The same of the subscription that has ended, which had committed to 1.20.
].sort();
const numbers = expected.map((_line, index) => `ACME-00000${index + 1}`);

function stripeSettings() {
  return { apiKey: double.apiKey, webhookSecret: 'whsec_double', apiBase: double.url };
}

async function expectTheStory(): Promise<void> {
  const invoices = await fixture.invoices();
  expect(invoices.map((invoice) => summary(invoice).replace(/^\S+ /, '')).sort()).toEqual(expected);
  expect(invoices.map(({ invoice }) => invoice.number).sort()).toEqual(numbers);
  const owing = invoices.filter(({ totals }) => totals.amountDueMinor > 0n).map(({ invoice, totals }) => `${invoice.id} ${totals.amountDueMinor}`);
  expect([...double.state.invoices.values()].map((one) => `${one.metadata['tollway_invoice']} ${one.amountPaid}`).sort()).toEqual(owing.sort());
  // 31.00 + 28.00 + 32.00 + 1.20 + 14.00 + 33.75 + 34.00 + 0.55 = 174.50, each once.
  expect(double.state.payments.reduce((sum, { amount }) => sum + amount, 0)).toBe(17_450);
  expect(double.state.payments).toHaveLength(8);
}

/** Works until the process dies at its step. */
async function workUntilDeath(process: MortalProcess): Promise<void> {
  const use = fixture.use({ ...process.adapters(fixture), stripe: stripeSettings(), logger: makeLogger({ name: 'dying', level: 'silent' }) });
  for (let pass = 0; pass < passesMax && !process.isDead; pass += 1) {
    await use.sweepDue.execute().catch(() => undefined);
    if (!process.isDead && (await fixture.rating().runJobs()) === 0) await systemClock.sleep(5);
  }
  expect(process.isDead).toBe(true);
}

describe('a process that dies', () => {
  // What happens once in the story can't be died at twice.
  const once = new Set<SweepStep>(['adopt:written', 'adopt:committed', 'late:drafted', 'late:committed', 'issue:waiting-noted', 'issue:rating-requested', 'clock:finished']);
  const deaths = sweepSteps.flatMap((step): [SweepStep, number][] => (once.has(step) ? [[step, 1]] : [[step, 1], [step, 2]]));
  it.each(deaths)('at %s, time %i, leaves nothing undone and nothing twice', async (step, time) => {
    await story();
    await fixture.beginAdvance(until);
    await workUntilDeath(new MortalProcess({ step, time }));
    await fixture.finishAdvance(until, fixture.use({ stripe: stripeSettings() }));
    await expectTheStory();
  });
});

describe('two processes at once', () => {
  it('do everything once', async () => {
    await story();
    await fixture.beginAdvance(until);
    const others = [1, 2].map(() => fixture.use({ stripe: stripeSettings() }));
    let isOver = false;
    const work = others.map(async (use) => {
      while (!isOver) await Promise.all([use.sweepDue.execute(), use.pushOutbox.execute()]);
    });
    await fixture.finishAdvance(until, fixture.use({ stripe: stripeSettings() }));
    isOver = true;
    await Promise.all(work);
    await expectTheStory();
  });

  it('bill and charge nothing twice where the lock on sweeping fails', async () => {
    await story();
    await fixture.beginAdvance(until);
    const context: InvoicingContext = { database: fixture.database, log: fixture.log, jobs: fixture.jobs, clock: systemClock, ids: makeIds(), logger: makeLogger({ name: 'other', level: 'silent' }) };
    const providers = new PaymentProviders({ box: new SecretBox('a secret of a test server'), clock: systemClock, bootstrapStripe: stripeSettings() });
    const organization: SweptOrganization = { organizationId: 'org_a', dueUntil: Temporal.Instant.from(until), now: null, isStrict: true, clockTarget: Temporal.Instant.from(until) };
    let isOver = false;
    const unlocked = [1, 2].map(async () => {
      const use = [new MakeInvoices(context), new IssueInvoices(context, providers), new PushOutbox(context, providers)] as const;
      while (!isOver) {
        for (const one of use) await one.execute(organization);
      }
    });
    await fixture.finishAdvance(until, fixture.use({ stripe: stripeSettings() }));
    isOver = true;
    await Promise.all(unlocked);
    const invoices = await fixture.invoices();
    expect(invoices.map(({ invoice }) => invoice.number).sort()).toEqual(numbers);
    const due = invoices.reduce((sum, { totals }) => sum + totals.amountDueMinor, 0n);
    const carried = invoices.filter(({ invoice }) => invoice.carriedTo === null).reduce((sum, { invoice }) => sum + invoice.carriedOutMinor, 0n);
    expect(due + carried).toBe(17_450n);
    expect(BigInt(double.state.payments.reduce((sum, { amount }) => sum + amount, 0))).toBe(due);
  });
});
