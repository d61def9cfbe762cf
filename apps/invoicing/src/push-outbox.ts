import type { EntityManager } from 'typeorm';
import { later } from '#domain';
import {
  changeInvoice, lockOutboxEntry, noteFirstPushes, noteProviderCustomer, readDueOutbox, readInvoices, readOpenOutbox, readTestClock, saveOutboxOutcome,
  type InvoiceRecord, type OutboxEntry,
} from '#persistence';
import { assert, type PaymentFailure, type PaymentProvider, type PushDone } from '#platform';
import { applyProviderState } from './apply-provider-state.js';
import type { InvoicingContext } from './invoicing-context.js';
import { Slots } from './slots.js';
import type { PaymentProviders } from './payment-providers.js';
import { toDocumentRef, toInvoiceDocument } from './to-payment-document.js';

const entriesMax = 100;
const roundsMax = 1_000;
const concurrency = 3;
const firstRetryMs = 500;
const retryMaxMs = 60_000;
const slowRetryMs = 600_000;
/** Tried so often in quick succession, then every ten minutes until it is given up. Who waits for the outbox waits for the quick tries only. */
export const quickTriesMax = 6;
const giveUpAfter = { hours: 72 } as const;

/** An outcome of a push whose provider is not there. */
const missing: PaymentFailure = { kind: 'refused', code: 'request_refused', detail: 'The organization has no payment provider.' };

/** Tells the payment provider what the outbox holds. Each entry is held while it is told, so no two processes tell the same; a crash leaves it to be told again. */
export class PushOutbox {
  /** A call holds a connection while it lasts, so their number is bound over all who push in this process. */
  private readonly slots = new Slots(concurrency);

  constructor(
    private readonly context: InvoicingContext,
    private readonly providers: PaymentProviders,
  ) {}

  /** Tries what is due, each entry once; returns how many entries came to an end. */
  async execute(only: { readonly organizationId?: string; readonly invoiceId?: string } = {}): Promise<number> {
    const { database, clock } = this.context;
    let ended = 0;
    for (let round = 0; round < roundsMax; round += 1) {
      const due = await database.acrossOrganizations((manager) => readDueOutbox(manager, { systemNow: clock.now(), limit: entriesMax, ...only }));
      const begun = (await Promise.all([...Map.groupBy(due, (entry) => entry.organizationId).values()].map((entries) => this.slots.run(() => this.begin(entries))))).flat();
      const ends = await Promise.all(begun.map((entry) => this.slots.run(() => this.tell(entry))));
      const endedNow = ends.filter(Boolean).length;
      ended += endedNow;
      // What did not end is put off, or held by another process.
      if (due.length < entriesMax || endedNow === 0) break;
    }
    return ended;
  }

  /** The entries of one organization that may be told now. Where that could not be noted, none of them. */
  private async begin(entries: readonly OutboxEntry[]): Promise<readonly OutboxEntry[]> {
    try {
      await this.noteBegun(entries);
      return entries;
    } catch (error) {
      this.context.logger.error({ err: error, organization: entries[0]?.organizationId, invoices: entries.length }, 'Invoices could not be told to the payment provider.');
      for (const entry of entries) {
        this.context.metrics?.pushed('failed');
        await this.putOff(entry);
      }
      return [];
    }
  }

  private async tell(due: OutboxEntry): Promise<boolean> {
    const { database, logger, atStep } = this.context;
    const { organizationId } = due;
    try {
      const isEnded = await database.inOrganization(organizationId, (manager) => this.tellLocked(manager, due));
      atStep?.('push:committed');
      return isEnded;
    } catch (error) {
      logger.error({ err: error, organization: organizationId, invoice: due.invoiceId }, 'An invoice could not be told to the payment provider.');
      this.context.metrics?.pushed('failed');
      await this.putOff(due);
      return false;
    }
  }

  /** Committed by itself before any call, so that a lost answer can be searched for. The entries are of one organization. */
  private async noteBegun(entries: readonly OutboxEntry[]): Promise<void> {
    const [first] = entries;
    if (first === undefined) return;
    const { organizationId } = first;
    await this.context.database.inOrganization(organizationId, async (manager) => {
      const provider = await this.providers.within(manager, organizationId);
      const invoices = await readInvoices(manager, { ids: [...new Set(entries.map(({ invoiceId }) => invoiceId))] });
      if (provider === null || invoices.length === 0) return;
      await noteFirstPushes(manager, { organizationId, provider: provider.name, customerIds: invoices.map(({ customerId }) => customerId), at: this.context.clock.now() });
    });
  }

  /** The entry's row stays locked over the call, which is what keeps a second process from making it too. */
  private async tellLocked(manager: EntityManager, due: OutboxEntry): Promise<boolean> {
    const { organizationId } = due;
    const { clock, atStep } = this.context;
    const entry = await lockOutboxEntry(manager, { organizationId, id: due.id, systemNow: clock.now() });
    if (entry === null) return false;
    // A payment waits for the push that brings its invoice there.
    const open = entry.kind === 'pay' ? await readOpenOutbox(manager, { organizationId, invoiceId: entry.invoiceId }) : [];
    if (open.some(({ kind }) => kind === 'push')) return false;
    const [invoice] = await readInvoices(manager, { ids: [entry.invoiceId] });
    assert(invoice !== undefined, 'An outbox entry belongs to an invoice.');
    const provider = await this.providers.within(manager, organizationId);
    if (provider === null) return this.saveFailure(manager, { entry, invoice, failure: missing });
    atStep?.('push:begun');
    const outcome = entry.kind === 'push' ? await this.push(manager, { invoice, provider }) : await this.pay(manager, { invoice, provider, entry });
    atStep?.('push:answered');
    this.context.metrics?.pushed(outcome.kind);
    if (outcome.kind !== 'done') {
      const customerKey = { organizationId, provider: provider.name, customerId: invoice.customerId };
      if (outcome.known?.partyProviderId) await noteProviderCustomer(manager, { ...customerKey, providerId: outcome.known.partyProviderId });
      if (outcome.known?.providerId) await changeInvoice(manager, { id: invoice.id, provider: provider.name, providerInvoiceId: outcome.known.providerId });
      return this.saveFailure(manager, { entry, invoice, failure: outcome });
    }
    await this.saveDone(manager, { entry, done: outcome, provider: provider.name });
    atStep?.('push:written');
    return true;
  }

  private async push(manager: EntityManager, { invoice, provider }: { invoice: InvoiceRecord; provider: PaymentProvider }) {
    return provider.pushInvoice(await toInvoiceDocument(manager, { invoice, provider: provider.name }));
  }

  private async pay(manager: EntityManager, { invoice, provider, entry }: { invoice: InvoiceRecord; provider: PaymentProvider; entry: OutboxEntry }) {
    assert(entry.paymentId !== null, 'A wish to pay has an id.');
    const outcome = await provider.pay({ document: await toDocumentRef(manager, { invoice, provider: provider.name }), paymentId: entry.paymentId });
    return outcome.kind === 'done' ? outcome : { ...outcome, known: null };
  }

  private async saveDone(manager: EntityManager, options: { entry: OutboxEntry; done: PushDone; provider: string }): Promise<void> {
    const { entry, done, provider } = options;
    const systemNow = this.context.clock.now();
    const [invoice] = await readInvoices(manager, { ids: [entry.invoiceId], forUpdate: true });
    assert(invoice?.issuedAt !== undefined && invoice.issuedAt !== null, 'A pushed invoice is issued.');
    const { now } = await readTestClock(manager, entry.organizationId);
    const at = later(now ?? systemNow, invoice.issuedAt);
    await applyProviderState(manager, { invoice, provider, found: done.invoice, payment: done.payment, paymentId: entry.paymentId, at, systemNow });
    await saveOutboxOutcome(manager, { id: entry.id, state: 'done', systemNow, nextTryAt: null, detail: null });
  }

  /** Returns whether the entry came to an end. */
  private async saveFailure(manager: EntityManager, options: { entry: OutboxEntry; invoice: InvoiceRecord; failure: PaymentFailure }): Promise<boolean> {
    const { entry, invoice, failure } = options;
    const systemNow = this.context.clock.now();
    if (failure.kind === 'refused') {
      await saveOutboxOutcome(manager, { id: entry.id, state: 'refused', systemNow, nextTryAt: null, detail: { code: failure.code, detail: failure.detail } });
      await changeInvoice(manager, { id: invoice.id, paymentStatus: failure.code === 'payment_declined' ? 'failed' : 'refused', paymentFailure: { code: failure.code, detail: failure.detail } });
      this.context.logger.warn({ invoice: invoice.id, code: failure.code }, 'The payment provider refused an invoice.');
      return true;
    }
    const isOver = Temporal.Instant.compare(entry.createdAt.add(giveUpAfter), systemNow) <= 0;
    const detail = { call: failure.call, detail: failure.detail };
    const state = isOver ? 'given_up' : failure.kind === 'unknown' || entry.state === 'unknown' ? 'unknown' : 'pending';
    await saveOutboxOutcome(manager, { id: entry.id, state, systemNow, nextTryAt: systemNow.add({ milliseconds: waitMs(entry.attempts, failure) }), detail });
    if (state !== 'pending') await changeInvoice(manager, { id: invoice.id, paymentStatus: 'unknown', paymentFailure: { code: state, detail: failure.detail } });
    return isOver;
  }

  /** What failed inside us, perhaps after the call: tried again like an answer that was lost. */
  private async putOff(due: OutboxEntry): Promise<void> {
    const systemNow = this.context.clock.now();
    await this.context.database.inOrganization(due.organizationId, async (manager) => {
      const entry = await lockOutboxEntry(manager, { organizationId: due.organizationId, id: due.id, systemNow });
      if (entry === null) return;
      const nextTryAt = systemNow.add({ milliseconds: waitMs(entry.attempts, { kind: 'unknown', retryAfterMs: retryMaxMs }) });
      await saveOutboxOutcome(manager, { id: entry.id, state: 'unknown', systemNow, nextTryAt, detail: { detail: 'The push failed inside.' } });
    });
  }
}

/** A provider that can't now is asked again when it said; an answer that was lost is looked for at once, since a run reads before it writes. */
function waitMs(attempts: number, failure: { readonly kind: 'unknown' | 'retry_later'; readonly retryAfterMs: number }): number {
  if (attempts >= quickTriesMax) return Math.max(slowRetryMs, failure.retryAfterMs);
  const growing = firstRetryMs * 2 ** attempts;
  return failure.kind === 'unknown' ? Math.min(growing, failure.retryAfterMs) : Math.max(growing, failure.retryAfterMs);
}
