import { assert } from '../../errors/assert.js';

export interface SandboxPayment {
  readonly paymentId: string;
  readonly status: 'taken' | 'failed';
}

/** A document as the sandbox has it. All of it is JSON, so that a store may keep it as such. */
export interface SandboxInvoice {
  /** The document's id. */
  readonly id: string;
  readonly partyId: string;
  readonly number: string;
  readonly currency: string;
  readonly minorDigits: number;
  readonly status: 'open' | 'paid' | 'void' | 'uncollectible';
  /** Whole minor units, as text. */
  readonly amountDueMinor: string;
  readonly lines: readonly { readonly id: string; readonly description: string; readonly amountMinor: string }[];
  readonly payments: readonly SandboxPayment[];
}

/** Where the sandbox remembers. Whoever wires the provider gives one that outlives the process; each call is one atomic step. */
export interface SandboxStore {
  find(id: string): Promise<SandboxInvoice | null>;
  /** Returns the ids of those that were not there; of the others nothing is changed. */
  insert(invoices: readonly SandboxInvoice[]): Promise<ReadonlySet<string>>;
  /** Replaces the invoice while it has `before.status` and as many payments as `before`; false, and nothing changed, where it has moved on. */
  replace(before: SandboxInvoice, after: SandboxInvoice): Promise<boolean>;
}

/** For tests: forgets everything with the process. */
export class MemorySandboxStore implements SandboxStore {
  private readonly invoices = new Map<string, SandboxInvoice>();

  find(id: string): Promise<SandboxInvoice | null> {
    return Promise.resolve(this.invoices.get(id) ?? null);
  }

  insert(invoices: readonly SandboxInvoice[]): Promise<ReadonlySet<string>> {
    const made = invoices.filter(({ id }) => !this.invoices.has(id));
    for (const invoice of made) this.invoices.set(invoice.id, invoice);
    return Promise.resolve(new Set(made.map(({ id }) => id)));
  }

  replace(before: SandboxInvoice, after: SandboxInvoice): Promise<boolean> {
    assert(before.id === after.id, 'An invoice keeps its id.');
    const current = this.invoices.get(before.id);
    if (current === undefined || current.status !== before.status || current.payments.length !== before.payments.length) return Promise.resolve(false);
    this.invoices.set(after.id, after);
    return Promise.resolve(true);
  }
}
