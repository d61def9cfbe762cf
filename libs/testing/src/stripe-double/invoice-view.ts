import type { InvoiceItemRow, InvoiceRow, LineRow } from './double-state.js';

const embeddedLinesMax = 10;

export function totalOf(invoice: InvoiceRow): number {
  return invoice.lines.reduce((sum, line) => sum + line.amount, 0);
}

export function showInvoice(invoice: InvoiceRow): Record<string, unknown> {
  const total = totalOf(invoice);
  return {
    id: invoice.id,
    object: 'invoice',
    livemode: false,
    created: invoice.created,
    customer: invoice.customer,
    currency: invoice.currency,
    number: invoice.number,
    status: invoice.status,
    collection_method: invoice.collectionMethod,
    due_date: invoice.daysUntilDue === null ? null : invoice.created + invoice.daysUntilDue * 86_400,
    auto_advance: invoice.autoAdvance,
    automatic_tax: { enabled: false, liability: null, status: null },
    billing_reason: 'manual',
    description: invoice.description,
    default_payment_method: invoice.defaultPaymentMethod,
    default_tax_rates: [],
    discounts: [],
    issuer: { type: 'self' },
    metadata: invoice.metadata,
    subtotal: total,
    total,
    ...amounts(invoice),
    starting_balance: invoice.startingBalance,
    ending_balance: invoice.endingBalance,
    attempt_count: invoice.attemptCount,
    attempted: invoice.attemptCount > 0,
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_start: invoice.created,
    period_end: invoice.created,
    status_transitions: invoice.statusTransitions,
    lines: {
      object: 'list',
      data: invoice.lines.slice(0, embeddedLinesMax).map((line) => showLine(invoice, line)),
      has_more: invoice.lines.length > embeddedLinesMax,
      url: `/v1/invoices/${invoice.id}/lines`,
    },
  };
}

function amounts(invoice: InvoiceRow): Record<string, number> {
  const due = invoice.status === 'draft' ? Math.max(0, totalOf(invoice) + invoice.startingBalance) : invoice.amountDue;
  return {
    amount_due: due,
    amount_paid: invoice.amountPaid,
    amount_paid_off_stripe: 0,
    amount_remaining: due - invoice.amountPaid,
    amount_overpaid: 0,
    amount_shipping: 0,
    pre_payment_credit_notes_amount: 0,
    post_payment_credit_notes_amount: 0,
  };
}

export function showLine(invoice: InvoiceRow, line: LineRow): Record<string, unknown> {
  return {
    id: line.id,
    object: 'line_item',
    livemode: false,
    amount: line.amount,
    subtotal: line.amount,
    currency: invoice.currency,
    description: line.description,
    discountable: line.discountable,
    discount_amounts: [],
    discounts: [],
    invoice: invoice.id,
    metadata: line.metadata,
    parent: { type: 'invoice_item_details', invoice_item_details: { invoice_item: line.itemId, proration: false, proration_details: null, subscription: null }, subscription_item_details: null },
    period: line.period,
    pretax_credit_amounts: [],
    pricing: null,
    quantity: 1,
    taxes: [],
  };
}

export function showItem(item: InvoiceItemRow): Record<string, unknown> {
  const { line } = item;
  return {
    id: item.id,
    object: 'invoiceitem',
    livemode: false,
    date: item.created,
    customer: item.customer,
    invoice: item.invoice,
    currency: item.currency,
    amount: line.amount,
    description: line.description,
    discountable: line.discountable,
    discounts: [],
    metadata: line.metadata,
    period: line.period,
    proration: false,
    quantity: 1,
    tax_rates: [],
  };
}
