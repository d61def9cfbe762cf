import { noSuch } from './double-error.js';
import type { CustomerRow, DoubleState } from './double-state.js';
import { createdFilter, listPage, pagingParams } from './list-page.js';
import type { Params } from './params.js';
import { attachCard } from './payment-methods.js';

const editable = ['name', 'email', 'metadata', 'description', 'phone', 'address', 'balance', 'invoice_settings'] as const;

export function createCustomer(state: DoubleState, params: Params): object {
  params.allow(...editable, 'payment_method');
  const row: CustomerRow = {
    id: state.newId('cus'),
    created: state.nowSeconds(),
    name: null,
    email: null,
    metadata: {},
    balance: 0,
    defaultPaymentMethod: null,
    deleted: false,
  };
  change(row, params);
  state.customers.set(row.id, row);
  const card = params.text('payment_method') ?? state.cardOfNewCustomers;
  if (card !== null) row.defaultPaymentMethod = attachCard(state, { token: card, customer: row.id }).id;
  state.emit('customer.created', showCustomer(row));
  return showCustomer(row);
}

export function updateCustomer(state: DoubleState, id: string, params: Params): object {
  const row = findCustomer(state, id);
  change(row, params.allow(...editable));
  state.emit('customer.updated', showCustomer(row));
  return showCustomer(row);
}

function change(row: CustomerRow, params: Params): void {
  row.name = params.text('name') ?? row.name;
  row.email = params.text('email') ?? row.email;
  row.metadata = params.metadata(row.metadata) ?? row.metadata;
  row.balance = params.integer('balance') ?? row.balance;
  row.defaultPaymentMethod = params.nested('invoice_settings')?.text('default_payment_method') ?? row.defaultPaymentMethod;
}

export function retrieveCustomer(state: DoubleState, id: string): object {
  const row = state.customers.get(id);
  if (row === undefined) throw noSuch('customer', id);
  return row.deleted ? { id, object: 'customer', deleted: true } : showCustomer(row);
}

export function deleteCustomer(state: DoubleState, id: string): object {
  findCustomer(state, id).deleted = true;
  return { id, object: 'customer', deleted: true };
}

export function listCustomers(state: DoubleState, params: Params): object {
  params.allow(...pagingParams, 'email');
  const email = params.text('email');
  const inRange = createdFilter(params);
  // Stripe compares mailboxes with regard to case.
  const rows = [...state.customers.values()].filter((row) => !row.deleted && (email === undefined || row.email === email) && inRange(row));
  return listPage(rows, { params, url: '/v1/customers', show: showCustomer });
}

export function findCustomer(state: DoubleState, id: string): CustomerRow {
  const row = state.customers.get(id);
  if (row === undefined || row.deleted) throw noSuch('customer', id);
  return row;
}

function showCustomer(row: CustomerRow): Record<string, unknown> {
  return {
    id: row.id,
    object: 'customer',
    created: row.created,
    livemode: false,
    name: row.name,
    email: row.email,
    metadata: row.metadata,
    balance: row.balance,
    currency: null,
    delinquent: false,
    description: null,
    default_source: null,
    invoice_settings: { custom_fields: null, default_payment_method: row.defaultPaymentMethod, footer: null, rendering_options: null },
  };
}
