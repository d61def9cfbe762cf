import type { EntityManager } from 'typeorm';
import { later } from '#domain';
import {
  changeInvoice, lockOutboxEntries, noteFirstPushes, noteProviderCustomers, readDueOutbox, readInvoices, readOpenOutbox, readTestClock, saveOutboxOutcome,
  type InvoiceRecord, type OutboxEntry,
} from '#persistence';
import { assert, type PaymentFailure, type PaymentProvider, type PushDone, type PushOutcome } from '#platform';
import { applyProviderStates } from './apply-provider-state.js';
import type { InvoicingContext } from './invoicing-context.js';
import { Slots } from './slots.js';
import type { PaymentProviders } from './payment-providers.js';
import { toDocumentRef, toInvoiceDocuments } from './to-payment-document.js';

/** Of one look at the outbox, and so of one transaction with a provider that takes many documents at once. */
const entriesMax = 200;
const roundsMax = 1_000;
const concurrency = 3;
const firstRetryMs = 500;
const retryMaxMs = 60_000;
const slowRetryMs = 600_000;
/** Tried so often in quick succession, then every ten minutes until it is given up. Who waits for the outbox waits for the quick tries only. */
export const quickTriesMax = 6;
const giveUpAfter = { hours: 72 } as const;

/** An outcome of a push whose provider is not there. */
const missing: PushOutcome & PaymentFailure = { kind: 'refused', code: 'request_refused', detail: 'The organization has no payment provider.', known: { partyProviderId: null, providerId: null } };

/** An entry with its invoice and what came of telling it. */
interface Told {
  readonly entry: OutboxEntry;
  readonly invoice: InvoiceRecord;
  readonly outcome: PushOutcome;
}

/**
 * Tells the payment provider what the outbox holds. Each entry is held while it is told, so no two processes tell the same; a crash leaves it
 * to be told again. A provider that takes many documents at once gets those of a round together, in one transaction.
 */
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
      const ends = await Promise.all(begun.map((entries) => this.slots.run(() => this.tell(entries))));
      const endedNow = ends.reduce((sum, count) => sum + count, 0);
      ended += endedNow;
      // What did not end is put off, or held by another process.
      if (due.length < entriesMax || endedNow === 0) break;
    }
    return ended;
  }

  /** The entries of one organization that may be told now, as they are told: many together or each by itself. Where that pushes begin could not be noted, none of them. */
  private async begin(entries: readonly OutboxEntry[]): Promise<readonly (readonly OutboxEntry[])[]> {
    try {
      const takesMany = await this.noteBegun(entries);
      const together = takesMany ? entries.filter(({ kind }) => kind === 'push') : [];
      const alone = entries.filter((entry) => !together.includes(entry)).map((entry) => [entry]);
      return together.length === 0 ? alone : [together, ...alone];
    } catch (error) {
      this.context.logger.error({ err: error, organization: entries[0]?.organizationId, invoices: entries.length }, 'Invoices could not be told to the payment provider.');
      for (const entry of entries) {
        this.context.metrics?.pushed('failed');
        await this.putOff(entry);
      }
      return [];
    }
  }

  /** Entries of one organization in one transaction; returns how many came to an end. Where one of many can't be told, each is by itself. */
  private async tell(due: readonly OutboxEntry[]): Promise<number> {
    const { database, logger, atStep } = this.context;
    const [first] = due;
    assert(first !== undefined, 'At least one entry is told.');
    const { organizationId } = first;
    try {
      const ended = await database.inOrganization(organizationId, (manager) => this.tellLocked(manager, { organizationId, due }));
      atStep?.('push:committed');
      return ended;
    } catch (error) {
      logger.error({ err: error, organization: organizationId, invoice: first.invoiceId, invoices: due.length }, 'An invoice could not be told to the payment provider.');
      if (due.length === 1) {
        this.context.metrics?.pushed('failed');
        await this.putOff(first);
        return 0;
      }
    }
    let ended = 0;
    for (const entry of due) ended += await this.tell([entry]);
    return ended;
  }

  /** Committed by itself before any call, so that a lost answer can be searched for. The entries are of one organization. Returns whether its provider takes many documents at once. */
  private async noteBegun(entries: readonly OutboxEntry[]): Promise<boolean> {
    const [first] = entries;
    if (first === undefined) return false;
    const { organizationId } = first;
    return this.context.database.inOrganization(organizationId, async (manager) => {
      const provider = await this.providers.within(manager, organizationId);
      const invoices = await readInvoices(manager, { ids: [...new Set(entries.map(({ invoiceId }) => invoiceId))] });
      if (provider === null || invoices.length === 0) return false;
      await noteFirstPushes(manager, { organizationId, provider: provider.name, customerIds: invoices.map(({ customerId }) => customerId), at: this.context.clock.now() });
      return provider.pushInvoices !== undefined;
    });
  }

  /** The entries' rows stay locked over the call, which is what keeps a second process from making it too. */
  private async tellLocked(manager: EntityManager, { organizationId, due }: { organizationId: string; due: readonly OutboxEntry[] }): Promise<number> {
    const { clock, atStep } = this.context;
    const locked = await lockOutboxEntries(manager, { organizationId, ids: due.map(({ id }) => id), systemNow: clock.now() });
    const entries: OutboxEntry[] = [];
    for (const entry of locked) if (!(await waitsForPush(manager, entry))) entries.push(entry);
    if (entries.length === 0) return 0;
    const invoices = new Map((await readInvoices(manager, { ids: entries.map(({ invoiceId }) => invoiceId) })).map((invoice) => [invoice.id, invoice]));
    const wanted = entries.map((entry) => {
      const invoice = invoices.get(entry.invoiceId);
      assert(invoice !== undefined, 'An outbox entry belongs to an invoice.');
      return { entry, invoice };
    });
    const provider = await this.providers.within(manager, organizationId);
    if (provider === null) return this.saveFailures(manager, wanted.map((one) => ({ ...one, failure: missing })));
    atStep?.('push:begun');
    const told = await call(manager, { wanted, provider });
    atStep?.('push:answered');
    for (const { outcome } of told) this.context.metrics?.pushed(outcome.kind);
    const failed = told.flatMap(({ outcome, ...one }) => (outcome.kind === 'done' ? [] : [{ ...one, failure: outcome }]));
    await noteKnown(manager, { organizationId, provider: provider.name, failed });
    const ended = await this.saveFailures(manager, failed);
    const done = told.flatMap(({ outcome, entry }) => (outcome.kind === 'done' ? [{ entry, done: outcome }] : []));
    if (done.length === 0) return ended;
    await this.saveDone(manager, { organizationId, done, provider: provider.name });
    atStep?.('push:written');
    return ended + done.length;
  }

  private async saveDone(manager: EntityManager, options: { organizationId: string; done: readonly { entry: OutboxEntry; done: PushDone }[]; provider: string }): Promise<void> {
    const { organizationId, done, provider } = options;
    const systemNow = this.context.clock.now();
    const invoices = new Map((await readInvoices(manager, { ids: done.map(({ entry }) => entry.invoiceId), forUpdate: true })).map((invoice) => [invoice.id, invoice]));
    const { now } = await readTestClock(manager, organizationId);
    await applyProviderStates(manager, done.map(({ entry, done: { invoice: found, payment } }) => {
      const invoice = invoices.get(entry.invoiceId);
      assert(invoice?.issuedAt !== undefined && invoice.issuedAt !== null, 'A pushed invoice is issued.');
      return { invoice, provider, found, payment, paymentId: entry.paymentId, at: later(now ?? systemNow, invoice.issuedAt), systemNow };
    }));
    await saveOutboxOutcome(manager, { ids: done.map(({ entry }) => entry.id), state: 'done', systemNow, nextTryAt: null, detail: null });
  }

  /** Returns how many entries came to an end. */
  private async saveFailures(manager: EntityManager, failures: readonly { entry: OutboxEntry; invoice: InvoiceRecord; failure: PaymentFailure }[]): Promise<number> {
    let ended = 0;
    for (const one of failures) if (await this.saveFailure(manager, one)) ended += 1;
    return ended;
  }

  /** Returns whether the entry came to an end. */
  private async saveFailure(manager: EntityManager, options: { entry: OutboxEntry; invoice: InvoiceRecord; failure: PaymentFailure }): Promise<boolean> {
    const { entry, invoice, failure } = options;
    const systemNow = this.context.clock.now();
    if (failure.kind === 'refused') {
      await saveOutboxOutcome(manager, { ids: [entry.id], state: 'refused', systemNow, nextTryAt: null, detail: { code: failure.code, detail: failure.detail } });
      await changeInvoice(manager, { id: invoice.id, paymentStatus: failure.code === 'payment_declined' ? 'failed' : 'refused', paymentFailure: { code: failure.code, detail: failure.detail } });
      this.context.logger.warn({ invoice: invoice.id, code: failure.code }, 'The payment provider refused an invoice.');
      return true;
    }
    const isOver = Temporal.Instant.compare(entry.createdAt.add(giveUpAfter), systemNow) <= 0;
    const detail = { call: failure.call, detail: failure.detail };
    const state = isOver ? 'given_up' : failure.kind === 'unknown' || entry.state === 'unknown' ? 'unknown' : 'pending';
    await saveOutboxOutcome(manager, { ids: [entry.id], state, systemNow, nextTryAt: systemNow.add({ milliseconds: waitMs(entry.attempts, failure) }), detail });
    if (state !== 'pending') await changeInvoice(manager, { id: invoice.id, paymentStatus: 'unknown', paymentFailure: { code: state, detail: failure.detail } });
    return isOver;
  }

  /** What failed inside us, perhaps after the call: tried again like an answer that was lost. */
  private async putOff(due: OutboxEntry): Promise<void> {
    const systemNow = this.context.clock.now();
    await this.context.database.inOrganization(due.organizationId, async (manager) => {
      const [entry] = await lockOutboxEntries(manager, { organizationId: due.organizationId, ids: [due.id], systemNow });
      if (entry === undefined) return;
      const nextTryAt = systemNow.add({ milliseconds: waitMs(entry.attempts, { kind: 'unknown', retryAfterMs: retryMaxMs }) });
      await saveOutboxOutcome(manager, { ids: [entry.id], state: 'unknown', systemNow, nextTryAt, detail: { detail: 'The push failed inside.' } });
    });
  }
}

/** A payment waits for the push that brings its invoice there. */
async function waitsForPush(manager: EntityManager, { kind, organizationId, invoiceId }: OutboxEntry): Promise<boolean> {
  return kind === 'pay' && (await readOpenOutbox(manager, { organizationId, invoiceId })).some((open) => open.kind === 'push');
}

/** Tells pushes together where the provider takes them so; who comes with several has made sure of it. */
async function call(manager: EntityManager, { wanted, provider }: { wanted: readonly Omit<Told, 'outcome'>[]; provider: PaymentProvider }): Promise<Told[]> {
  const [only] = wanted;
  if (only !== undefined && only.entry.kind === 'pay') return [{ ...only, outcome: await pay(manager, { ...only, provider }) }];
  const documents = await toInvoiceDocuments(manager, { invoices: wanted.map(({ invoice }) => invoice), provider: provider.name });
  const outcomes: PushOutcome[] = [];
  if (provider.pushInvoices === undefined) for (const document of documents) outcomes.push(await provider.pushInvoice(document));
  else outcomes.push(...(await provider.pushInvoices(documents)));
  return wanted.map((one, place) => {
    const outcome = outcomes[place];
    assert(outcome !== undefined, 'Each document has its outcome.');
    return { ...one, outcome };
  });
}

async function pay(manager: EntityManager, { invoice, provider, entry }: Omit<Told, 'outcome'> & { provider: PaymentProvider }): Promise<PushOutcome> {
  assert(entry.paymentId !== null, 'A wish to pay has an id.');
  const outcome = await provider.pay({ document: await toDocumentRef(manager, { invoice, provider: provider.name }), paymentId: entry.paymentId });
  return outcome.kind === 'done' ? outcome : { ...outcome, known: { partyProviderId: null, providerId: null } };
}

/** What calls that failed learned of the provider's ids. */
async function noteKnown(manager: EntityManager, options: { organizationId: string; provider: string; failed: readonly { invoice: InvoiceRecord; failure: Exclude<PushOutcome, PushDone> }[] }): Promise<void> {
  const { organizationId, provider, failed } = options;
  const parties = failed.flatMap(({ invoice, failure: { known } }) => (known.partyProviderId === null ? [] : [[invoice.customerId, known.partyProviderId] as const]));
  if (parties.length > 0) await noteProviderCustomers(manager, { organizationId, provider, providerIds: new Map(parties) });
  for (const { invoice, failure: { known } } of failed) if (known.providerId !== null) await changeInvoice(manager, { id: invoice.id, provider, providerInvoiceId: known.providerId });
}

/** A provider that can't now is asked again when it said; an answer that was lost is looked for at once, since a run reads before it writes. */
function waitMs(attempts: number, failure: { readonly kind: 'unknown' | 'retry_later'; readonly retryAfterMs: number }): number {
  if (attempts >= quickTriesMax) return Math.max(slowRetryMs, failure.retryAfterMs);
  const growing = firstRetryMs * 2 ** attempts;
  return failure.kind === 'unknown' ? Math.min(growing, failure.retryAfterMs) : Math.max(growing, failure.retryAfterMs);
}
