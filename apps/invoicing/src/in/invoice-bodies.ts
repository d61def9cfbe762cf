import { toLineItemBody, type InvoiceBody, type UpcomingInvoiceBody } from '#contracts';
import { formatMinor, invoiceTotals, type InvoiceTotals } from '#domain';
import type { InvoiceRecord } from '#persistence';
import { lineId } from '../derived-ids.js';
import type { UpcomingInvoice } from '../preview-upcoming-invoice.js';
import type { ReadableInvoice } from '../read-drafts.js';

const textOrNull = (instant: Temporal.Instant | null): string | null => instant?.toString() ?? null;

export function toInvoiceBody({ invoice, lines, totals, addOns }: ReadableInvoice): InvoiceBody {
  const { currency } = invoice;
  const isStripe = invoice.provider === 'stripe';
  return {
    id: invoice.id,
    object: 'invoice',
    number: invoice.number,
    customer: invoice.customerId,
    subscription: invoice.subscriptionId,
    status: invoice.status,
    waiting_for_usage: invoice.waitingForUsage,
    currency,
    collection: invoice.collection,
    period: toPeriod({ start: invoice.periodStart, end: invoice.periodEnd }),
    lines: lines.map((line) => toLineItemBody(line, { id: line.id, currency, isIssued: invoice.status !== 'draft', addOns })),
    ...toTotals(totals, currency),
    amount_paid: formatMinor(invoice.amountPaidMinor, currency),
    amount_remaining: formatMinor(remainingMinor(invoice, totals), currency),
    issued_at: textOrNull(invoice.issuedAt),
    due_at: textOrNull(invoice.dueAt),
    paid_at: textOrNull(invoice.paidAt),
    voided_at: textOrNull(invoice.voidedAt),
    marked_uncollectible_at: textOrNull(invoice.markedUncollectibleAt),
    stripe: {
      invoice: isStripe ? invoice.providerInvoiceId : null,
      status: isStripe ? invoice.providerStatus : null,
      pushed_at: isStripe ? textOrNull(invoice.pushedAt) : null,
    },
    payment: { provider: invoice.provider, status: (invoice.paymentStatus ?? 'none') as InvoiceBody['payment']['status'], failure: invoice.paymentFailure },
    created_at: invoice.createdAt.toString(),
    metadata: { ...invoice.metadata },
  };
}

/** What is still to be paid. Nothing of a void invoice is. */
function remainingMinor(invoice: InvoiceRecord, totals: InvoiceTotals): bigint {
  return invoice.status === 'void' ? 0n : totals.amountDueMinor - invoice.amountPaidMinor;
}

export function toUpcomingBody({ subscription, preview, closesAt, addOns }: UpcomingInvoice): UpcomingInvoiceBody {
  const { currency } = subscription;
  const sum = preview.lines.reduce((total, { amountMinor }) => total + amountMinor, 0n);
  const totals = toTotals(invoiceTotals(sum), currency);
  return {
    object: 'upcoming_invoice',
    id: null,
    number: null,
    customer: subscription.customerId,
    subscription: subscription.id,
    status: 'draft',
    waiting_for_usage: false,
    currency,
    collection: subscription.collection,
    period: toPeriod(preview.period),
    lines: preview.lines.map((line) => toLineItemBody(line, { id: lineId({ invoiceId: `upcoming:${subscription.id}`, ref: line.ref }), currency, isIssued: false, addOns })),
    ...totals,
    amount_paid: formatMinor(0n, currency),
    amount_remaining: totals.amount_due,
    issued_at: null,
    due_at: null,
    closes_at: closesAt.toString(),
  };
}

function toPeriod(period: { readonly start: Temporal.Instant; readonly end: Temporal.Instant }) {
  return { start: period.start.toString(), end: period.end.toString() };
}

function toTotals(totals: InvoiceTotals, currency: string) {
  return {
    subtotal: formatMinor(totals.subtotalMinor, currency),
    discount: formatMinor(totals.discountMinor, currency),
    tax: formatMinor(totals.taxMinor, currency),
    credits_applied: formatMinor(totals.creditsAppliedMinor, currency),
    total: formatMinor(totals.totalMinor, currency),
    amount_due: formatMinor(totals.amountDueMinor, currency),
  };
}
