import type { EntityManager } from 'typeorm';
import { actionsAllowed, formatMinor, later, statusAfter, type InvoiceAction, type InvoiceStatus } from '#domain';
import {
  changeInvoice, hastenOutbox, insertOutboxEntries, lockDueAct, moveDueAct, readInvoices, readOpenOutbox, releaseCarriedAmounts, withdrawOutbox,
  type InvoiceRecord, type NewOutboxEntry,
} from '#persistence';
import { accepted, refused, type CloseOutcome, type Outcome, type PaymentProvider, type Refusal } from '#platform';
import { applyProviderState } from './apply-provider-state.js';
import type { InvoicingContext } from './invoicing-context.js';
import type { PaymentProviders } from './payment-providers.js';
import type { PushOutbox } from './push-outbox.js';
import type { SweepDue } from './sweep-due.js';
import { toDocumentRef } from './to-payment-document.js';

export type ChangeCode = 'not_found' | 'invalid_state' | 'payment_in_progress' | 'payment_provider_missing' | 'payment_failed' | 'partly_paid' | 'provider_refused' | 'provider_unavailable';
type Change = Outcome<{ readonly id: string; readonly isSettled: boolean }, ChangeCode>;

export interface ChangeUse {
  readonly context: InvoicingContext;
  readonly providers: PaymentProviders;
  readonly sweepDue: SweepDue;
  readonly pushOutbox: PushOutbox;
  readonly businessNow: (organizationId: string) => Promise<Temporal.Instant>;
}

export interface InvoiceKey {
  readonly organizationId: string;
  readonly id: string;
}

const finalizeWaitMaxMs = 15_000;
const pollEveryMs = 100;

/** What people ask of an invoice: issue it earlier, take its money, make it void, give it up. */
export class ChangeInvoice {
  constructor(private readonly use: ChangeUse) {}

  /** Issues a draft without waiting for its grace period. Usage that is counted already is on it. Not settled: its usage is still being rated. */
  async finalize(key: InvoiceKey): Promise<Change> {
    const { context, sweepDue, businessNow } = this.use;
    const now = await businessNow(key.organizationId);
    const hastened = await this.locked(key, 'finalize', async (manager, invoice) => {
      const act = await lockDueAct(manager, { organizationId: key.organizationId, subscriptionId: invoice.subscriptionId, periodIndex: invoice.periodIndex, kind: 'issue' });
      if (act !== null && Temporal.Instant.compare(act.dueAt, now) > 0) await moveDueAct(manager, { id: act.id, dueAt: later(now, invoice.datedAt) });
      return accepted({ id: invoice.id, isSettled: false });
    });
    if (!hastened.ok) return hastened;
    const until = context.clock.now().add({ milliseconds: finalizeWaitMaxMs });
    while (Temporal.Instant.compare(context.clock.now(), until) < 0) {
      await sweepDue.execute();
      const [invoice] = await this.read(key);
      if (invoice?.status !== 'draft') return accepted({ id: key.id, isSettled: true });
      await context.clock.sleep(pollEveryMs);
    }
    return hastened;
  }

  /** Takes the money now. Not settled: the provider has not said yet. */
  async pay(key: InvoiceKey): Promise<Change> {
    const { context, providers, pushOutbox } = this.use;
    const asked = await this.locked(key, 'pay', async (manager, invoice) => {
      if (invoice.amountPaidMinor > 0n) return partlyPaid(invoice, 'The payment provider can take the whole amount only; record the rest as it comes.');
      const provider = await providers.within(manager, key.organizationId);
      if (provider === null) return stateRefusal(invoice, { code: 'payment_provider_missing', detail: 'Connect a payment provider first: PUT /v1/organization/payment-provider.' });
      const systemNow = context.clock.now();
      await this.askToPay(manager, { invoice, provider, systemNow });
      return accepted({ id: invoice.id, isSettled: false });
    });
    if (!asked.ok) return asked;
    // A push that is not there yet goes before the payment.
    for (let round = 0; round < 2; round += 1) await pushOutbox.execute({ organizationId: key.organizationId, invoiceId: key.id });
    const [invoice] = await this.read(key);
    if (invoice === undefined) return asked;
    if (invoice.status === 'paid') return accepted({ id: key.id, isSettled: true });
    if (invoice.paymentStatus === 'failed' || invoice.paymentStatus === 'refused') {
      return stateRefusal(invoice, { code: 'payment_failed', detail: invoice.paymentFailure?.detail ?? 'The payment provider did not take the payment.' });
    }
    return asked;
  }

  private async askToPay(manager: EntityManager, options: { invoice: InvoiceRecord; provider: PaymentProvider; systemNow: Temporal.Instant }): Promise<void> {
    const { invoice, provider, systemNow } = options;
    const { organizationId, id: invoiceId } = invoice;
    await changeInvoice(manager, { id: invoiceId, paymentStatus: 'pending', paymentFailure: null });
    if ((await readOpenOutbox(manager, { organizationId, invoiceId })).length > 0) {
      await hastenOutbox(manager, { organizationId, invoiceId, systemNow });
      return;
    }
    const isPushed = invoice.pushedAt !== null && invoice.provider === provider.name;
    const entries: NewOutboxEntry[] = isPushed ? [] : [{ invoiceId, kind: 'push', paymentId: null }];
    // The first push of an invoice that is collected automatically takes the money itself.
    if (isPushed || invoice.collection === 'send_invoice') entries.push({ invoiceId, kind: 'pay', paymentId: this.use.context.ids.make('pay') });
    await insertOutboxEntries(manager, { organizationId, systemNow, entries });
  }

  /** Makes it worthless, first at the provider, then here; its number stays taken. */
  async void(key: InvoiceKey): Promise<Change> {
    return this.close(key, 'void', (provider, document) => provider.voidInvoice(document));
  }

  async markUncollectible(key: InvoiceKey): Promise<Change> {
    return this.close(key, 'mark_uncollectible', (provider, document) => provider.markUncollectible(document));
  }

  private async close(key: InvoiceKey, action: 'void' | 'mark_uncollectible', tell: (provider: PaymentProvider, document: Parameters<PaymentProvider['voidInvoice']>[0]) => Promise<CloseOutcome>): Promise<Change> {
    const { context, providers, businessNow } = this.use;
    const now = await businessNow(key.organizationId);
    return this.locked(key, action, async (manager, invoice) => {
      if (action === 'void' && invoice.amountPaidMinor > 0n) return partlyPaid(invoice, 'What was paid would be for nothing; mark it uncollectible to give up the rest.');
      const provider = await providers.within(manager, key.organizationId);
      const systemNow = context.clock.now();
      const withdrawn = await withdrawOutbox(manager, { organizationId: key.organizationId, invoiceId: invoice.id, systemNow });
      if (!withdrawn) return stateRefusal(invoice, { code: 'payment_in_progress', detail: 'The payment provider is being told about this invoice; try again.' });
      const at = later(now, invoice.issuedAt ?? now);
      if (invoice.providerInvoiceId !== null && provider?.name === invoice.provider) {
        const told = await tell(provider, await toDocumentRef(manager, { invoice, provider: provider.name }));
        if (told.kind !== 'done') return learnFromRefusal(manager, { invoice, provider, told, at, systemNow });
      }
      const status = statusAfter(invoice.status, action);
      if (status !== null) await changeInvoice(manager, { id: invoice.id, status, ...(action === 'void' ? { voidedAt: at } : { markedUncollectibleAt: at }) });
      if (action === 'void') await releaseCarriedAmounts(manager, { organizationId: key.organizationId, invoiceId: invoice.id });
      return accepted({ id: invoice.id, isSettled: true });
    });
  }

  /** Runs the work with the invoice locked, in a state that allows the action. */
  private async locked(key: InvoiceKey, action: InvoiceAction, work: (manager: EntityManager, invoice: InvoiceRecord) => Promise<Change>): Promise<Change> {
    return this.use.context.database.inOrganization(key.organizationId, async (manager) => {
      const [invoice] = await readInvoices(manager, { ids: [key.id], forUpdate: true });
      if (invoice === undefined) return refused('not_found', 'There is no such invoice.');
      if (statusAfter(invoice.status, action) === null) return stateRefusal(invoice, { code: 'invalid_state', detail: `An invoice that is ${invoice.status} can not be ${participles[action]}.` });
      return work(manager, invoice);
    });
  }

  private read(key: InvoiceKey): Promise<InvoiceRecord[]> {
    return this.use.context.database.inOrganization(key.organizationId, (manager) => readInvoices(manager, { ids: [key.id] }));
  }
}

const participles: Readonly<Record<InvoiceAction, string>> = { finalize: 'finalized', settle: 'settled', pay: 'paid', record_payment: 'paid', void: 'voided', mark_uncollectible: 'marked uncollectible' };

/** The provider says no, mostly since it was paid there meanwhile: then that is what we learn from it. */
export async function learnFromRefusal(
  manager: EntityManager,
  options: { invoice: InvoiceRecord; provider: PaymentProvider; told: Exclude<CloseOutcome, { kind: 'done' }>; at: Temporal.Instant; systemNow: Temporal.Instant },
): Promise<Refusal<'provider_unavailable' | 'provider_refused'>> {
  const { invoice, provider, told, at, systemNow } = options;
  if (told.kind !== 'refused') return refused('provider_unavailable', `The payment provider did not answer: ${told.detail}`);
  const found = await provider.fetchInvoice(await toDocumentRef(manager, { invoice, provider: provider.name }));
  if (found.kind === 'found') await applyProviderState(manager, { invoice, provider: provider.name, found: found.invoice, payment: null, paymentId: null, at, systemNow });
  const [current = invoice] = await readInvoices(manager, { ids: [invoice.id] });
  return stateRefusal(current, { code: 'provider_refused', detail: told.detail });
}

function partlyPaid(invoice: InvoiceRecord, why: string): Refusal<'partly_paid'> {
  return stateRefusal(invoice, { code: 'partly_paid', detail: `${formatMinor(invoice.amountPaidMinor, invoice.currency)} of it was paid by hand. ${why}` });
}

export function stateRefusal<Code extends string>(invoice: { readonly status: InvoiceStatus }, refusal: { code: Code; detail: string }): Refusal<Code> {
  return { ...refused(refusal.code, refusal.detail), extensions: { state: invoice.status, allowed_actions: actionsAllowed(invoice.status) } };
}
