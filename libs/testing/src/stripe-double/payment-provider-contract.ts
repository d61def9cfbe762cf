import type { InvoiceDocument, Party, PaymentProvider, PushDone } from '#platform';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';

import { sampleDocument, sampleLine, sampleParty } from './sample-documents.js';

/** What a payment method of the test does. */
export type TestMethod = 'pays' | 'declines';

export interface OpenedProvider {
  readonly provider: PaymentProvider;
  /** Another provider on the same remote state, as after a restart. */
  reopen(): PaymentProvider;
  /** The party with a payment method that does that. */
  prepareParty(party: Party, method: TestMethod): Promise<Party>;
  /** Amounts of the payments that were taken for the document, in minor units. */
  paymentsOf(documentId: string): Promise<readonly bigint[]>;
  close(): Promise<void>;
}

/** What every PaymentProvider keeps. */
export function paymentProviderContract(name: string, open: () => Promise<OpenedProvider>): void {
  describe(`PaymentProvider: ${name}`, () => {
    const opened: OpenedProvider[] = [];
    let at: OpenedProvider;
    beforeEach(async () => {
      at = await open();
      opened.push(at);
    });
    afterAll(async () => {
      for (const entry of opened) await entry.close();
    });

    const pays = async (changes: Partial<InvoiceDocument> = {}): Promise<InvoiceDocument> => sampleDocument({ ...changes, party: await at.prepareParty(sampleParty(), 'pays') });
    const declines = async (): Promise<InvoiceDocument> => sampleDocument({ party: await at.prepareParty(sampleParty(), 'declines') });

    it('brings a document over with exactly its lines and takes one payment', async () => {
      const document = await pays();
      const done = await push(at.provider, document);
      expect(done.payment).toEqual({ status: 'taken' });
      expect(done.invoice).toMatchObject({ documentId: 'inv_01', number: 'TW-0001', status: 'paid', totalMinor: 6000n, amountDueMinor: 6000n, amountPaidMinor: 6000n });
      const fetched = await at.provider.fetchInvoice(document);
      expect(fetched).toMatchObject({ kind: 'found', invoice: { status: 'paid' } });
      const lines = fetched.kind === 'found' ? fetched.lines.map((line) => [line.lineId, line.description, line.amountMinor]) : [];
      expect(lines).toEqual([['il_1', 'Line il_1', 4900n], ['il_2', 'Line il_2', 1234n], ['il_3', 'Line il_3', 0n], ['il_4', 'Line il_4', -134n]]);
      expect(await at.paymentsOf('inv_01')).toEqual([6000n]);
    });

    it('adds nothing when pushed again, after a restart, or with the ids that it told', async () => {
      const document = await pays();
      const first = await push(at.provider, document);
      expect(await push(at.provider, document)).toEqual(first);
      expect(await push(at.reopen(), document)).toEqual(first);
      const { providerId, partyProviderId } = first.invoice;
      expect(await push(at.reopen(), { ...document, providerId, party: { ...document.party, providerId: partyProviderId } })).toEqual(first);
      expect(await at.paymentsOf('inv_01')).toEqual([6000n]);
    });

    it('adds nothing when pushed many times at once', async () => {
      const document = await pays();
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => at.reopen().pushInvoice(document)));
      expect(outcomes.filter((outcome) => outcome.kind === 'refused')).toEqual([]);
      expect((await push(at.provider, document)).payment).toEqual({ status: 'taken' });
      expect(await at.paymentsOf('inv_01')).toEqual([6000n]);
    });

    it('keeps a declined document open, and takes a later payment once for each of our payment ids', async () => {
      const document = await declines();
      const done = await push(at.provider, document);
      expect(done).toMatchObject({ invoice: { status: 'open', amountPaidMinor: 0n }, payment: { status: 'failed', code: 'payment_declined' } });
      expect(await push(at.provider, document)).toMatchObject({ invoice: { status: 'open' }, payment: { status: 'failed' } });
      expect(await at.provider.pay({ document, paymentId: 'pay_1' })).toMatchObject({ kind: 'done', payment: { status: 'failed' } });
      expect(await at.paymentsOf('inv_01')).toEqual([]);

      const party = await at.prepareParty(document.party, 'pays');
      for (let again = 0; again < 2; again += 1) {
        expect(await at.provider.pay({ document: { ...document, party }, paymentId: 'pay_2' })).toMatchObject({ kind: 'done', invoice: { status: 'paid' }, payment: { status: 'taken' } });
      }
      expect(await at.provider.pay({ document: { ...document, party }, paymentId: 'pay_3' })).toMatchObject({ kind: 'done', payment: { status: 'taken' } });
      expect(await at.paymentsOf('inv_01')).toEqual([6000n]);
    });

    it('asks for no payment where the party pays by itself', async () => {
      const document = await pays({ collection: { kind: 'send_invoice', daysUntilDue: 30 } });
      expect(await push(at.provider, document)).toMatchObject({ invoice: { status: 'open' }, payment: { status: 'not_asked' } });
      expect(await at.paymentsOf('inv_01')).toEqual([]);
      expect(await at.provider.pay({ document, paymentId: 'pay_1' })).toMatchObject({ kind: 'done', payment: { status: 'taken' } });
      expect(await at.paymentsOf('inv_01')).toEqual([6000n]);
    });

    it('voids an open document for good', async () => {
      const document = await declines();
      await push(at.provider, document);
      for (let again = 0; again < 2; again += 1) {
        expect(await at.provider.voidInvoice(document)).toMatchObject({ kind: 'done', invoice: { status: 'void' } });
      }
      const party = await at.prepareParty(document.party, 'pays');
      expect(await at.provider.pay({ document: { ...document, party }, paymentId: 'pay_1' })).toMatchObject({ kind: 'refused', code: 'state_forbids' });
      expect(await push(at.provider, { ...document, party })).toMatchObject({ invoice: { status: 'void' }, payment: { status: 'not_asked' } });
      expect(await at.provider.markUncollectible(document)).toMatchObject({ kind: 'refused', code: 'state_forbids' });
      expect(await at.paymentsOf('inv_01')).toEqual([]);
    });

    it('gives up on an open document, which may still be paid', async () => {
      const document = await declines();
      await push(at.provider, document);
      for (let again = 0; again < 2; again += 1) {
        expect(await at.provider.markUncollectible(document)).toMatchObject({ kind: 'done', invoice: { status: 'uncollectible' } });
      }
      const party = await at.prepareParty(document.party, 'pays');
      expect(await at.provider.pay({ document: { ...document, party }, paymentId: 'pay_1' })).toMatchObject({ kind: 'done', invoice: { status: 'paid' } });
    });

    it('neither voids nor gives up what is paid', async () => {
      const document = await pays();
      await push(at.provider, document);
      expect(await at.provider.voidInvoice(document)).toMatchObject({ kind: 'refused', code: 'state_forbids' });
      expect(await at.provider.markUncollectible(document)).toMatchObject({ kind: 'refused', code: 'state_forbids' });
      expect(await at.provider.settleOutside(document)).toMatchObject({ kind: 'refused', code: 'state_forbids' });
    });

    it('learns that the money came another way, and takes none', async () => {
      const document = await declines();
      expect(await at.provider.settleOutside(document)).toEqual({ kind: 'done', invoice: null });
      await push(at.provider, document);
      for (let again = 0; again < 2; again += 1) {
        expect(await at.provider.settleOutside(document)).toMatchObject({ kind: 'done', invoice: { status: 'paid' } });
      }
      const party = await at.prepareParty(document.party, 'pays');
      expect(await at.provider.pay({ document: { ...document, party }, paymentId: 'pay_1' })).toMatchObject({ kind: 'done', payment: { status: 'taken' } });
      expect(await at.paymentsOf('inv_01')).toEqual([]);
    });

    it('knows what it never had', async () => {
      const document = await pays();
      expect(await at.provider.fetchInvoice(document)).toEqual({ kind: 'absent' });
      expect(await at.provider.voidInvoice(document)).toEqual({ kind: 'done', invoice: null });
      expect(await at.provider.markUncollectible(document)).toMatchObject({ kind: 'refused', code: 'not_found' });
      expect(await at.provider.pay({ document, paymentId: 'pay_1' })).toMatchObject({ kind: 'refused', code: 'not_found' });
    });

    it.each([['nothing', 0n], ['less than nothing', -1n]])('refuses %s', async (_name, amount) => {
      const document = await pays({ lines: [sampleLine('il_1', amount)] });
      expect(at.provider.limits(document).canTake(amount)).toBe(false);
      expect(await at.provider.pushInvoice(document)).toMatchObject({ kind: 'refused', code: 'amount_not_payable' });
      expect(await at.provider.fetchInvoice(document)).toEqual({ kind: 'absent' });
    });

    it('carries many lines, some below nothing, in their order', async () => {
      // 230 lines of 1, 2, … 230 cents, every tenth negative: 230*231/2 - 2*(10 + 20 + … + 230) = 26565 - 2*2760 = 21045
      const lines = Array.from({ length: 230 }, (_, index) => sampleLine(`il_${index + 1}`, BigInt((index + 1) % 10 === 0 ? -(index + 1) : index + 1)));
      const document = await pays({ lines });
      expect((await push(at.provider, document)).invoice.totalMinor).toBe(21045n);
      const fetched = await at.provider.fetchInvoice(document);
      expect(fetched.kind === 'found' && fetched.lines.map((line) => [line.lineId, line.amountMinor])).toEqual(lines.map((line) => [line.id, line.amountMinor]));
    });

    it('stops at a document whose lines do not add up', async () => {
      const document = await pays({ amountDueMinor: 6001n });
      await expect(at.provider.pushInvoice(document)).rejects.toThrow('The lines of inv_01 must add up to its amount due.');
    });

    it('counts in the digits of the currency', async () => {
      const document = await pays({ currency: 'JPY', minorDigits: 0, lines: [sampleLine('il_1', 1300n)] });
      expect((await push(at.provider, document)).invoice).toMatchObject({ totalMinor: 1300n, amountPaidMinor: 1300n });
      expect(await at.paymentsOf('inv_01')).toEqual([1300n]);
    });
  });
}

const runsMax = 20;

/** Runs the push until it is done, as an outbox does; a refusal fails the test. */
export async function push(provider: PaymentProvider, document: InvoiceDocument): Promise<PushDone> {
  for (let run = 0; run < runsMax; run += 1) {
    const outcome = await provider.pushInvoice(document);
    if (outcome.kind === 'done') return outcome;
    if (outcome.kind === 'refused') throw new Error(`${outcome.code}: ${outcome.detail}`);
  }
  throw new Error(`Not done after ${runsMax} runs.`);
}
