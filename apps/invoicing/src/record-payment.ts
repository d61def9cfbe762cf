import type { EntityManager } from 'typeorm';
import type { PaymentCreate } from '#contracts';
import { canonicalDecimal, currencyDigits, decimal, formatMinor, later, statusAfter, toMinor } from '#domain';
import { changeInvoice, listPayments, readInvoices, savePayments, withdrawOutbox, type InvoiceRecord, type PaymentRecord, type StoredPayment } from '#persistence';
import { accepted, refused, type InputFault, type ListPage, type Outcome, type Refusal } from '#platform';
import { learnFromRefusal, stateRefusal, type ChangeCode, type InvoiceKey } from './change-invoice.js';
import type { InvoicingContext } from './invoicing-context.js';
import type { PaymentProviders } from './payment-providers.js';
import { toDocumentRef } from './to-payment-document.js';

export type RecordCode = Exclude<ChangeCode, 'payment_failed' | 'payment_provider_missing' | 'partly_paid'> | 'invalid_request' | 'partial_payment_unsupported';

/** The provider of payments that no provider took. */
export const byHand = 'manual';

interface Booking {
  readonly amountMinor: bigint;
  readonly at: Temporal.Instant;
}

/** Writes down money that came another way: all that remains of an invoice, or a part of it. */
export class RecordPayment {
  constructor(
    private readonly use: {
      readonly context: InvoicingContext;
      readonly providers: PaymentProviders;
      readonly businessNow: (organizationId: string) => Promise<Temporal.Instant>;
    },
  ) {}

  async execute(key: InvoiceKey, given: PaymentCreate): Promise<Outcome<StoredPayment, RecordCode>> {
    const { context, businessNow } = this.use;
    const now = await businessNow(key.organizationId);
    return context.database.inOrganization(key.organizationId, async (manager) => {
      const [invoice] = await readInvoices(manager, { ids: [key.id], forUpdate: true });
      if (invoice === undefined) return refused('not_found', 'There is no such invoice.');
      if (statusAfter(invoice.status, 'record_payment') === null) return stateRefusal(invoice, { code: 'invalid_state', detail: `A payment of an invoice that is ${invoice.status} can not be recorded.` });
      const booking = readBooking(invoice, { given, now });
      if (!booking.ok) return booking;
      const told = await this.tell(manager, { invoice, booking: booking.value });
      if (told !== null) return told;
      return accepted(await this.save(manager, { invoice, given, booking: booking.value }));
    });
  }

  /** Null where the organization has no such invoice. */
  async list(key: InvoiceKey, page: ListPage): Promise<{ items: StoredPayment[]; hasMore: boolean } | null> {
    return this.use.context.database.inOrganization(key.organizationId, async (manager) => {
      const [invoice] = await readInvoices(manager, { ids: [key.id] });
      return invoice === undefined ? null : listPayments(manager, { invoiceId: invoice.id, page });
    });
  }

  /** Nobody is to take the money again: what was still to be pushed is not, and a provider that has the invoice learns that it is paid. */
  private async tell(manager: EntityManager, of: { invoice: InvoiceRecord; booking: Booking }): Promise<Refusal<RecordCode> | null> {
    const { invoice, booking } = of;
    const { organizationId } = invoice;
    const provider = await this.use.providers.within(manager, organizationId);
    const isWhole = booking.amountMinor === invoice.amountDueMinor - invoice.amountPaidMinor;
    if (!isWhole && provider?.name === 'stripe') {
      const detail = 'Stripe would still ask for the whole amount; record all that remains at once.';
      return stateRefusal(invoice, { code: 'partial_payment_unsupported', detail });
    }
    const withdrawn = await withdrawOutbox(manager, { organizationId, invoiceId: invoice.id, systemNow: this.use.context.clock.now() });
    if (!withdrawn) return stateRefusal(invoice, { code: 'payment_in_progress', detail: 'The payment provider is being told about this invoice; try again.' });
    if (!isWhole || invoice.providerInvoiceId === null || provider === null || provider.name !== invoice.provider) return null;
    const outcome = await provider.settleOutside(await toDocumentRef(manager, { invoice, provider: provider.name }));
    if (outcome.kind === 'done') return null;
    return learnFromRefusal(manager, { invoice, provider, told: outcome, at: booking.at, systemNow: this.use.context.clock.now() });
  }

  private async save(manager: EntityManager, of: { invoice: InvoiceRecord; given: PaymentCreate; booking: Booking }): Promise<StoredPayment> {
    const { invoice, given, booking } = of;
    const payment: PaymentRecord = {
      id: this.use.context.ids.make('pay'), organizationId: invoice.organizationId, invoiceId: invoice.id, provider: byHand, status: 'succeeded',
      amountMinor: booking.amountMinor, currency: invoice.currency, failureCode: null, failureDetail: null,
      method: given.method ?? 'bank_transfer', reference: given.reference ?? null, metadata: given.metadata ?? {}, at: booking.at,
    };
    await savePayments(manager, [payment]);
    const amountPaidMinor = invoice.amountPaidMinor + booking.amountMinor;
    const status = amountPaidMinor === invoice.amountDueMinor ? statusAfter(invoice.status, 'settle') : null;
    await changeInvoice(manager, {
      id: invoice.id, amountPaidMinor,
      ...(status === null ? {} : { status, paidAt: booking.at, paymentStatus: 'succeeded', paymentFailure: null }),
    });
    return { ...payment, createdAt: this.use.context.clock.now() };
  }
}

/** How much came and when; every fault is named at once. */
function readBooking(invoice: InvoiceRecord, of: { given: PaymentCreate; now: Temporal.Instant }): Outcome<Booking, RecordCode> {
  const { given, now } = of;
  const remainingMinor = invoice.amountDueMinor - invoice.amountPaidMinor;
  const issuedAt = invoice.issuedAt ?? now;
  const amount = given.amount === undefined ? { minor: remainingMinor } : readAmount(given.amount, { remainingMinor, currency: invoice.currency });
  const at = given.paid_at === undefined ? later(now, issuedAt) : Temporal.Instant.from(given.paid_at);
  const faults: InputFault[] = 'minor' in amount ? [] : [amount];
  if (Temporal.Instant.compare(at, issuedAt) < 0) faults.push({ pointer: '/paid_at', code: 'invalid_time', detail: `The invoice was issued at ${issuedAt.toString()}; give that instant or a later one.` });
  if (given.paid_at !== undefined && Temporal.Instant.compare(at, now) > 0) faults.push({ pointer: '/paid_at', code: 'invalid_time', detail: `It is ${now.toString()}; a payment can't come later than now.` });
  if (!('minor' in amount) || faults.length > 0) return refused('invalid_request', 'The payment is not as it must be.', faults);
  return accepted({ amountMinor: amount.minor, at });
}

function readAmount(text: string, of: { remainingMinor: bigint; currency: string }): { minor: bigint } | InputFault {
  const { remainingMinor, currency } = of;
  const pointer = '/amount';
  const canonical = canonicalDecimal(text);
  if (canonical === null) return { pointer, code: 'invalid_decimal', detail: 'This must be a decimal such as "12.50", with a point and without separators.' };
  const amount = decimal(canonical);
  const digits = currencyDigits(currency);
  if (amount.decimalPlaces() > digits) return { pointer, code: 'number_out_of_range', detail: `An amount in ${currency} has at most ${digits} digits after the point.` };
  if (!amount.gt(0)) return { pointer, code: 'number_out_of_range', detail: 'This must be greater than 0.' };
  const minor = toMinor(amount, currency);
  return minor <= remainingMinor ? { minor } : { pointer, code: 'above_remaining', detail: `Only ${formatMinor(remainingMinor, currency)} remains to be paid.` };
}
