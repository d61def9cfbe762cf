import { createCustomer, deleteCustomer, listCustomers, retrieveCustomer, updateCustomer } from './customers.js';
import { DoubleError } from './double-error.js';
import type { DoubleState } from './double-state.js';
import { listEvents, retrieveEvent } from './events.js';
import { addLines, createItem, deleteItem, listItems, listLines, removeLines, updateLines } from './invoice-lines.js';
import { createInvoice, deleteDraft, finalizeInvoice, listInvoices, markUncollectible, payInvoice, retrieveInvoice, updateInvoice, voidInvoice } from './invoices.js';
import type { Params } from './params.js';
import { attachPaymentMethod, retrievePaymentMethod } from './payment-methods.js';

export interface Call {
  readonly state: DoubleState;
  /** What stands in the place of `*` in the route's path. */
  readonly id: string;
  readonly params: Params;
}

const routes: Readonly<Record<string, (call: Call) => object>> = {
  'POST /v1/customers': ({ state, params }) => createCustomer(state, params),
  'GET /v1/customers': ({ state, params }) => listCustomers(state, params),
  'GET /v1/customers/*': ({ state, id }) => retrieveCustomer(state, id),
  'POST /v1/customers/*': ({ state, id, params }) => updateCustomer(state, id, params),
  'DELETE /v1/customers/*': ({ state, id }) => deleteCustomer(state, id),
  'POST /v1/invoices': ({ state, params }) => createInvoice(state, params),
  'GET /v1/invoices': ({ state, params }) => listInvoices(state, params),
  'GET /v1/invoices/*': ({ state, id }) => retrieveInvoice(state, id),
  'POST /v1/invoices/*': ({ state, id, params }) => updateInvoice(state, id, params),
  'DELETE /v1/invoices/*': ({ state, id }) => deleteDraft(state, id),
  'GET /v1/invoices/*/lines': ({ state, id, params }) => listLines(state, id, params),
  'POST /v1/invoices/*/add_lines': ({ state, id, params }) => addLines(state, id, params),
  'POST /v1/invoices/*/update_lines': ({ state, id, params }) => updateLines(state, id, params),
  'POST /v1/invoices/*/remove_lines': ({ state, id, params }) => removeLines(state, id, params),
  'POST /v1/invoices/*/finalize': ({ state, id, params }) => finalizeInvoice(state, id, params),
  'POST /v1/invoices/*/pay': ({ state, id, params }) => payInvoice(state, id, params),
  'POST /v1/invoices/*/void': ({ state, id }) => voidInvoice(state, id),
  'POST /v1/invoices/*/mark_uncollectible': ({ state, id }) => markUncollectible(state, id),
  'POST /v1/invoiceitems': ({ state, params }) => createItem(state, params),
  'GET /v1/invoiceitems': ({ state, params }) => listItems(state, params),
  'DELETE /v1/invoiceitems/*': ({ state, id }) => deleteItem(state, id),
  'POST /v1/payment_methods/*/attach': ({ state, id, params }) => attachPaymentMethod(state, id, params),
  'GET /v1/payment_methods/*': ({ state, id }) => retrievePaymentMethod(state, id),
  'GET /v1/events': ({ state, params }) => listEvents(state, params),
  'GET /v1/events/*': ({ state, id }) => retrieveEvent(state, id),
};

/** The third part of every path is the id: /v1/invoices/in_1/pay. */
export function findRoute(method: string, path: string): { handle: (call: Call) => object; id: string } {
  const parts = path.split('/').slice(1);
  const id = decodeURIComponent(parts[2] ?? '');
  const pattern = parts.map((part, index) => (index === 2 ? '*' : part)).join('/');
  const handle = routes[`${method} /${pattern}`];
  if (handle === undefined) throw new DoubleError({ status: 404, message: `Unrecognized request URL (${method}: ${path}).` });
  return { handle, id };
}
