import { findCustomer } from './customers.js';
import { DoubleError, notEditable } from './double-error.js';
import type { DoubleState, InvoiceRow, InvoiceStatus } from './double-state.js';
import { findInvoice, takePending } from './invoice-lines.js';
import { showInvoice, totalOf } from './invoice-view.js';
import { createdFilter, listPage, pagingParams } from './list-page.js';
import type { Params } from './params.js';

const settable = ['auto_advance', 'automatic_tax', 'collection_method', 'days_until_due', 'default_payment_method', 'description', 'discounts', 'footer', 'metadata', 'number', 'payment_settings'] as const;
const numberLengthMax = 26;

/** The least that the double charges, in its currency's smallest unit; smaller invoices go to the customer's balance, as at Stripe. */
const minimums: Readonly<Record<string, number>> = { usd: 50, eur: 50, gbp: 30, jpy: 50 };
const minimumElsewhere = 50;

export function createInvoice(state: DoubleState, params: Params): object {
  params.allow(...settable, 'customer', 'currency', 'pending_invoice_items_behavior');
  const customer = findCustomer(state, params.required('customer'));
  const row: InvoiceRow = {
    id: state.newId('in'),
    created: state.nowSeconds(),
    customer: customer.id,
    currency: params.text('currency') ?? 'usd',
    number: null,
    status: 'draft',
    collectionMethod: 'charge_automatically',
    daysUntilDue: null,
    autoAdvance: false,
    description: null,
    defaultPaymentMethod: null,
    metadata: {},
    lines: [],
    startingBalance: customer.balance,
    endingBalance: null,
    amountDue: 0,
    amountPaid: 0,
    attemptCount: 0,
    processing: false,
    statusTransitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
  };
  change(row, params);
  if (params.choice('pending_invoice_items_behavior', ['exclude', 'include']) === 'include') takePending(state, row);
  state.invoices.set(row.id, row);
  return announce(state, row, 'invoice.created');
}

export function updateInvoice(state: DoubleState, id: string, params: Params): object {
  const row = findInvoice(state, id);
  params.allow(...settable);
  const frozen = Object.keys(params.values).filter((name) => name !== 'metadata' && name !== 'expand');
  if (row.status !== 'draft' && frozen.length > 0) throw notEditable(`A finalized invoice can't change its ${frozen.join(', ')}.`);
  change(row, params);
  return announce(state, row, 'invoice.updated');
}

function change(row: InvoiceRow, params: Params): void {
  const method = params.choice('collection_method', ['charge_automatically', 'send_invoice']);
  if (method !== undefined) row.collectionMethod = method as InvoiceRow['collectionMethod'];
  row.daysUntilDue = params.integer('days_until_due') ?? row.daysUntilDue;
  if (row.collectionMethod === 'charge_automatically' && row.daysUntilDue !== null) throw new DoubleError({ status: 400, param: 'days_until_due', message: 'days_until_due is for collection_method=send_invoice only.' });
  if (row.collectionMethod === 'send_invoice' && row.daysUntilDue === null) throw new DoubleError({ status: 400, param: 'days_until_due', message: 'collection_method=send_invoice needs days_until_due.' });
  const number = params.text('number');
  if (number !== undefined && number.length > numberLengthMax) throw new DoubleError({ status: 400, param: 'number', message: `A number has at most ${numberLengthMax} characters.` });
  row.number = number ?? row.number;
  row.autoAdvance = params.boolean('auto_advance') ?? row.autoAdvance;
  row.description = params.text('description') ?? row.description;
  row.defaultPaymentMethod = params.text('default_payment_method') ?? row.defaultPaymentMethod;
  row.metadata = params.metadata(row.metadata) ?? row.metadata;
}

export function retrieveInvoice(state: DoubleState, id: string): object {
  return showInvoice(findInvoice(state, id));
}

export function listInvoices(state: DoubleState, params: Params): object {
  params.allow(...pagingParams, 'customer', 'status', 'collection_method');
  const [customer, status, method] = [params.text('customer'), params.choice('status', ['draft', 'open', 'paid', 'uncollectible', 'void']), params.text('collection_method')];
  const inRange = createdFilter(params);
  const rows = [...state.invoices.values()].filter((row) => {
    const fits = (customer === undefined || row.customer === customer) && (status === undefined || row.status === status);
    return fits && (method === undefined || row.collectionMethod === method) && inRange(row);
  });
  return listPage(rows, { params, url: '/v1/invoices', show: showInvoice });
}

export function deleteDraft(state: DoubleState, id: string): object {
  const row = findInvoice(state, id);
  if (row.status !== 'draft') throw notEditable('You can only delete draft invoices.');
  for (const line of row.lines) state.items.delete(line.itemId);
  state.invoices.delete(id);
  state.emit('invoice.deleted', showInvoice(row));
  return { id, object: 'invoice', deleted: true };
}

/** Freezes the invoice. Nothing to pay, or too little to charge, is paid on the spot, and the customer's balance takes what is left over. */
export function finalizeInvoice(state: DoubleState, id: string, params: Params): object {
  const row = findInvoice(state, id);
  if (row.status !== 'draft') throw notEditable('This invoice is already finalized, you can not re-finalize a non-draft invoice.');
  row.autoAdvance = params.allow('auto_advance').boolean('auto_advance') ?? row.autoAdvance;
  const customer = findCustomer(state, row.customer);
  row.startingBalance = customer.balance;
  row.number ??= state.newId('DBL').toUpperCase().slice(0, numberLengthMax);
  row.statusTransitions.finalized_at = state.nowSeconds();
  const due = totalOf(row) + row.startingBalance;
  const charged = due >= (minimums[row.currency] ?? minimumElsewhere) ? due : 0;
  row.amountDue = charged;
  row.endingBalance = charged === 0 ? due : 0;
  customer.balance = row.endingBalance;
  row.status = 'open';
  announce(state, row, 'invoice.finalized');
  if (charged === 0) return settle(state, row, []);
  return showInvoice(row);
}

export function payInvoice(state: DoubleState, id: string, params: Params): object {
  params.allow('payment_method', 'paid_out_of_band', 'off_session', 'forgive', 'mandate', 'source');
  const row = findInvoice(state, id);
  if (row.status === 'paid') throw stateError('Invoice is already paid');
  if (row.status === 'void') throw stateError('Voided invoices can not be paid');
  if (row.processing) throw stateError('A payment of this invoice is being processed');
  const method = params.boolean('paid_out_of_band') === true ? null : methodFor(state, row, params.text('payment_method'));
  if (row.status === 'draft') finalizeInvoice(state, id, params.without('payment_method', 'paid_out_of_band', 'off_session', 'forgive', 'mandate', 'source'));
  if (method === null) return settle(state, row, []);
  row.attemptCount += 1;
  if (method === 'pm_card_chargeDeclined') {
    announce(state, row, 'invoice.payment_failed');
    throw new DoubleError({ status: 402, type: 'card_error', code: 'card_declined', declineCode: 'generic_decline', message: 'Your card was declined.', keptUnderKey: true });
  }
  if (method === 'pm_usBankAccount_processing') {
    row.processing = true;
    return showInvoice(row);
  }
  return settle(state, row, [row.amountDue]);
}

/** Marks the invoice paid; `amounts` is the money that moved for it. */
export function settle(state: DoubleState, row: InvoiceRow, amounts: readonly number[]): object {
  for (const amount of amounts) {
    state.payments.push({ id: state.newId('pi'), invoice: row.id, amount, currency: row.currency });
    row.amountPaid += amount;
  }
  row.processing = false;
  row.status = 'paid';
  row.statusTransitions.paid_at = state.nowSeconds();
  announce(state, row, 'invoice.paid');
  return announce(state, row, 'invoice.payment_succeeded');
}

export function voidInvoice(state: DoubleState, id: string): object {
  return close(state, { id, to: 'void', from: ['open', 'uncollectible'], event: 'invoice.voided' });
}

export function markUncollectible(state: DoubleState, id: string): object {
  return close(state, { id, to: 'uncollectible', from: ['open'], event: 'invoice.marked_uncollectible' });
}

function close(state: DoubleState, step: { id: string; to: 'void' | 'uncollectible'; from: readonly InvoiceStatus[]; event: string }): object {
  const row = findInvoice(state, step.id);
  if (!step.from.includes(row.status)) throw stateError(`You can only pass ${step.from.join(' or ')} invoices, this one is ${row.status}.`);
  row.status = step.to;
  row.statusTransitions[step.to === 'void' ? 'voided_at' : 'marked_uncollectible_at'] = state.nowSeconds();
  return announce(state, row, step.event);
}

function methodFor(state: DoubleState, row: InvoiceRow, given: string | undefined): string {
  const id = given ?? row.defaultPaymentMethod ?? findCustomer(state, row.customer).defaultPaymentMethod;
  if (id === null) throw new DoubleError({ status: 400, code: 'resource_missing', message: 'This customer has no attached payment source or default payment method.', keptUnderKey: true });
  const method = state.paymentMethods.get(id);
  if (method === undefined) throw new DoubleError({ status: 400, code: 'resource_missing', param: 'payment_method', message: `No such PaymentMethod: '${id}'` });
  if (method.customer !== row.customer) throw new DoubleError({ status: 400, message: 'The payment method belongs to another customer.', keptUnderKey: true });
  return method.behaviour;
}

function announce(state: DoubleState, row: InvoiceRow, type: string): Record<string, unknown> {
  const shown = showInvoice(row);
  state.emit(type, shown);
  return shown;
}

function stateError(message: string): DoubleError {
  return new DoubleError({ status: 400, message, keptUnderKey: true });
}
