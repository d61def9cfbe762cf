import type { Clock } from '#platform';

export type InvoiceStatus = 'draft' | 'open' | 'paid' | 'void' | 'uncollectible';

export interface CustomerRow {
  readonly id: string;
  readonly created: number;
  name: string | null;
  email: string | null;
  metadata: Record<string, string>;
  /** What the customer owes (positive) or has to its credit (negative) at Stripe; the next invoice takes it up. */
  balance: number;
  defaultPaymentMethod: string | null;
  deleted: boolean;
}

export interface LineRow {
  readonly id: string;
  readonly itemId: string;
  amount: number;
  description: string | null;
  metadata: Record<string, string>;
  period: { start: number; end: number };
  discountable: boolean;
}

export interface InvoiceItemRow {
  readonly id: string;
  readonly created: number;
  readonly customer: string;
  /** Null while it waits for an invoice. */
  invoice: string | null;
  readonly currency: string;
  readonly line: LineRow;
}

export interface InvoiceRow {
  readonly id: string;
  readonly created: number;
  readonly customer: string;
  readonly currency: string;
  number: string | null;
  status: InvoiceStatus;
  collectionMethod: 'charge_automatically' | 'send_invoice';
  daysUntilDue: number | null;
  autoAdvance: boolean;
  description: string | null;
  defaultPaymentMethod: string | null;
  metadata: Record<string, string>;
  lines: LineRow[];
  startingBalance: number;
  endingBalance: number | null;
  amountDue: number;
  amountPaid: number;
  attemptCount: number;
  /** A payment that the bank has not confirmed yet. */
  processing: boolean;
  statusTransitions: { finalized_at: number | null; marked_uncollectible_at: number | null; paid_at: number | null; voided_at: number | null };
}

export interface PaymentMethodRow {
  readonly id: string;
  /** The test card behind it: pm_card_visa pays, pm_card_chargeDeclined declines, pm_usBankAccount_processing stays pending. */
  readonly behaviour: string;
  readonly created: number;
  customer: string | null;
}

/** Money that moved. */
export interface PaymentRow {
  readonly id: string;
  readonly invoice: string;
  readonly amount: number;
  readonly currency: string;
}

export interface EventRow {
  readonly id: string;
  readonly type: string;
  readonly created: number;
  /** The object as it was then. */
  readonly object: Readonly<Record<string, unknown>>;
}

/** All that the double remembers. Maps keep the order of creation. */
export class DoubleState {
  readonly customers = new Map<string, CustomerRow>();
  readonly invoices = new Map<string, InvoiceRow>();
  readonly items = new Map<string, InvoiceItemRow>();
  readonly paymentMethods = new Map<string, PaymentMethodRow>();
  readonly payments: PaymentRow[] = [];
  readonly events = new Map<string, EventRow>();
  private counter = 0;

  constructor(
    readonly clock: Clock,
    /** The test card that new customers have from the start; null for none. */
    readonly cardOfNewCustomers: string | null,
    private readonly onEvent: (event: EventRow) => void,
  ) {}

  newId(prefix: string): string {
    this.counter += 1;
    return `${prefix}_double${this.counter.toString().padStart(8, '0')}`;
  }

  nowSeconds(): number {
    return Math.floor(this.clock.now().epochMilliseconds / 1000);
  }

  emit(type: string, object: Readonly<Record<string, unknown>>): void {
    const event: EventRow = { id: this.newId('evt'), type, created: this.nowSeconds(), object: structuredClone(object) };
    this.events.set(event.id, event);
    this.onEvent(event);
  }
}
