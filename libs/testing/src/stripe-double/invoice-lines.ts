import { DoubleError, noSuch, notEditable } from './double-error.js';
import type { DoubleState, InvoiceItemRow, InvoiceRow, LineRow } from './double-state.js';
import { showInvoice, showItem, showLine } from './invoice-view.js';
import { listPage, pagingParams, createdFilter } from './list-page.js';
import type { Params } from './params.js';

const linesMax = 250;
const lineParams = ['amount', 'description', 'discountable', 'metadata', 'period'] as const;

export function findInvoice(state: DoubleState, id: string): InvoiceRow {
  const row = state.invoices.get(id);
  if (row === undefined) throw noSuch('invoice', id);
  return row;
}

function findDraft(state: DoubleState, id: string): InvoiceRow {
  const row = findInvoice(state, id);
  if (row.status !== 'draft') throw notEditable('This invoice is no longer editable: only drafts can change their lines.');
  return row;
}

/** All lines or none, as one step. */
export function addLines(state: DoubleState, id: string, params: Params): object {
  params.allow('lines', 'invoice_metadata');
  const wanted = params.list('lines') ?? [];
  if (wanted.length === 0) throw new DoubleError({ status: 400, code: 'parameter_missing', param: 'lines', message: 'Missing required param: lines.' });
  const invoice = findDraft(state, id);
  const lines = wanted.map((line) => readLine(state, line));
  if (invoice.lines.length + lines.length > linesMax) throw new DoubleError({ status: 400, message: `An invoice has at most ${linesMax} lines.` });
  for (const line of lines) attach(state, invoice, line);
  state.emit('invoice.updated', showInvoice(invoice));
  return showInvoice(invoice);
}

export function updateLines(state: DoubleState, id: string, params: Params): object {
  const invoice = findDraft(state, id);
  const changes = (params.allow('lines', 'invoice_metadata').list('lines') ?? []).map((given) => {
    const line = invoice.lines.find((row) => row.id === given.allow('id', ...lineParams).required('id'));
    if (line === undefined) throw noSuch('line item', given.required('id'));
    return { line, given };
  });
  for (const { line, given } of changes) changeLine(line, given);
  state.emit('invoice.updated', showInvoice(invoice));
  return showInvoice(invoice);
}

export function removeLines(state: DoubleState, id: string, params: Params): object {
  const invoice = findDraft(state, id);
  const wanted = params.allow('lines', 'invoice_metadata').list('lines') ?? [];
  for (const given of wanted) {
    const behavior = given.allow('id', 'behavior').choice('behavior', ['delete', 'unassign']);
    const line = invoice.lines.find((row) => row.id === given.required('id'));
    if (line === undefined) throw noSuch('line item', given.required('id'));
    invoice.lines = invoice.lines.filter((row) => row !== line);
    const item = state.items.get(line.itemId);
    if (behavior === 'unassign' && item !== undefined) item.invoice = null;
    else state.items.delete(line.itemId);
  }
  state.emit('invoice.updated', showInvoice(invoice));
  return showInvoice(invoice);
}

export function listLines(state: DoubleState, id: string, params: Params): object {
  const invoice = findInvoice(state, id);
  params.allow('limit', 'starting_after', 'ending_before');
  return listPage(invoice.lines, { params, url: `/v1/invoices/${id}/lines`, show: (line) => showLine(invoice, line), order: 'as_given' });
}

export function createItem(state: DoubleState, params: Params): object {
  params.allow(...lineParams, 'customer', 'currency', 'invoice');
  const customer = params.required('customer');
  if (!state.customers.has(customer)) throw noSuch('customer', customer);
  const invoiceId = params.text('invoice');
  const invoice = invoiceId === undefined ? null : findDraft(state, invoiceId);
  const currency = params.text('currency') ?? invoice?.currency ?? 'usd';
  const line = readLine(state, params.without('customer', 'currency', 'invoice'));
  const item: InvoiceItemRow = { id: line.itemId, created: state.nowSeconds(), customer, invoice: invoice?.id ?? null, currency, line };
  state.items.set(item.id, item);
  invoice?.lines.push(line);
  return showItem(item);
}

export function listItems(state: DoubleState, params: Params): object {
  params.allow(...pagingParams, 'customer', 'invoice', 'pending');
  const [customer, invoice, pending, inRange] = [params.text('customer'), params.text('invoice'), params.boolean('pending'), createdFilter(params)];
  const rows = [...state.items.values()].filter((item) => {
    const fits = (customer === undefined || item.customer === customer) && (invoice === undefined || item.invoice === invoice);
    return fits && (pending === undefined || pending === (item.invoice === null)) && inRange(item);
  });
  return listPage(rows, { params, url: '/v1/invoiceitems', show: showItem });
}

export function deleteItem(state: DoubleState, id: string): object {
  const item = state.items.get(id);
  if (item === undefined) throw noSuch('invoiceitem', id);
  if (item.invoice !== null) {
    const invoice = findDraft(state, item.invoice);
    invoice.lines = invoice.lines.filter((line) => line.itemId !== id);
  }
  state.items.delete(id);
  return { id, object: 'invoiceitem', deleted: true };
}

/** Puts the customer's waiting items onto a new invoice, where its maker asked for that. */
export function takePending(state: DoubleState, invoice: InvoiceRow): void {
  for (const item of state.items.values()) {
    if (item.invoice !== null || item.customer !== invoice.customer || item.currency !== invoice.currency) continue;
    item.invoice = invoice.id;
    invoice.lines.push(item.line);
  }
}

function attach(state: DoubleState, invoice: InvoiceRow, line: LineRow): void {
  invoice.lines.push(line);
  state.items.set(line.itemId, { id: line.itemId, created: state.nowSeconds(), customer: invoice.customer, invoice: invoice.id, currency: invoice.currency, line });
}

function readLine(state: DoubleState, params: Params): LineRow {
  params.allow(...lineParams);
  const now = state.nowSeconds();
  const line: LineRow = { id: state.newId('il'), itemId: state.newId('ii'), amount: 0, description: null, metadata: {}, period: { start: now, end: now }, discountable: true };
  if (params.integer('amount') === undefined) throw new DoubleError({ status: 400, code: 'parameter_missing', param: 'amount', message: 'The double knows lines by their amount only.' });
  changeLine(line, params);
  return line;
}

function changeLine(line: LineRow, params: Params): void {
  line.amount = params.integer('amount') ?? line.amount;
  line.description = params.text('description') ?? line.description;
  line.metadata = params.metadata(line.metadata) ?? line.metadata;
  line.discountable = params.boolean('discountable') ?? line.discountable;
  const period = params.nested('period')?.allow('start', 'end');
  if (period === undefined) return;
  const [start, end] = [period.integer('start'), period.integer('end')];
  if (start === undefined || end === undefined || end < start) throw new DoubleError({ status: 400, param: 'period', message: 'A period needs a start and an end that is not before it.' });
  line.period = { start, end };
}
