/** `draft` may still change; every other status is of an issued invoice, whose lines and amounts never change again. */
export const invoiceStatuses = ['draft', 'open', 'paid', 'void', 'uncollectible'] as const;
export type InvoiceStatus = (typeof invoiceStatuses)[number];

/** What may be done to an invoice. `finalize` issues it; `settle` is a payment that came, however it came. */
export const invoiceActions = ['finalize', 'settle', 'pay', 'record_payment', 'void', 'mark_uncollectible'] as const;
export type InvoiceAction = (typeof invoiceActions)[number];

/**
 * The whole lifecycle. An action without an entry is refused in that status. `finalize` leads to `open`; an invoice that
 * owes nothing is settled in the same moment. `pay` asks the provider and changes nothing until the money is there;
 * `record_payment` writes down money that came another way, which settles it once all of it is there.
 */
export const invoiceTransitions: Readonly<Record<InvoiceStatus, Readonly<Partial<Record<InvoiceAction, InvoiceStatus>>>>> = {
  draft: { finalize: 'open' },
  open: { settle: 'paid', pay: 'open', record_payment: 'open', void: 'void', mark_uncollectible: 'uncollectible' },
  uncollectible: { settle: 'paid', pay: 'uncollectible', record_payment: 'uncollectible', void: 'void' },
  paid: {},
  void: {},
};

/** The status after the action; null where the action is refused. */
export function statusAfter(status: InvoiceStatus, action: InvoiceAction): InvoiceStatus | null {
  return invoiceTransitions[status][action] ?? null;
}

/** What a caller may ask for in this status, in a fixed order. `settle` is not among them: it happens, nobody asks for it. */
export function actionsAllowed(status: InvoiceStatus): InvoiceAction[] {
  return invoiceActions.filter((action) => action !== 'settle' && statusAfter(status, action) !== null);
}
