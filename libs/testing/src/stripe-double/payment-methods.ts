import { DoubleError, noSuch } from './double-error.js';
import type { DoubleState, PaymentMethodRow } from './double-state.js';
import type { Params } from './params.js';

/** The test tokens of Stripe that the double knows by what they do. */
const behaviours = ['pm_card_visa', 'pm_card_mastercard', 'pm_card_chargeDeclined', 'pm_usBankAccount_processing'] as const;

export function attachPaymentMethod(state: DoubleState, id: string, params: Params): object {
  const customer = params.allow('customer').required('customer');
  if (!state.customers.has(customer)) throw noSuch('customer', customer);
  return show(attachCard(state, { token: id, customer }));
}

export function retrievePaymentMethod(state: DoubleState, id: string): object {
  const row = state.paymentMethods.get(id);
  if (row === undefined) throw noSuch('PaymentMethod', id);
  return show(row);
}

/** A test token makes a new method each time; a method that exists changes hands once. */
export function attachCard(state: DoubleState, card: { token: string; customer: string }): PaymentMethodRow {
  const existing = state.paymentMethods.get(card.token);
  if (existing !== undefined) {
    if (existing.customer !== null && existing.customer !== card.customer) throw new DoubleError({ status: 400, message: 'The payment method is attached to another customer already.' });
    existing.customer = card.customer;
    return existing;
  }
  if (!behaviours.some((token) => token === card.token)) throw noSuch('PaymentMethod', card.token);
  const row: PaymentMethodRow = { id: state.newId('pm'), behaviour: card.token, created: state.nowSeconds(), customer: card.customer };
  state.paymentMethods.set(row.id, row);
  return row;
}

function show(row: PaymentMethodRow): object {
  return { id: row.id, object: 'payment_method', type: 'card', created: row.created, customer: row.customer, livemode: false, metadata: {}, billing_details: {} };
}
