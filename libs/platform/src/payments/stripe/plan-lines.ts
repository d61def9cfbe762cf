import { createHash } from 'node:crypto';

import type Stripe from 'stripe';

import type { DocumentLine, InvoiceDocument } from '../payment-document.js';
import { refusal } from '../payment-outcome.js';

import { metadataKeys } from './metadata-keys.js';
import type { Step } from './stripe-caller.js';
import { toStripeAmount } from './stripe-currency.js';

export interface StripeLine {
  readonly id: string;
  readonly amount: number;
  readonly params: Stripe.InvoiceAddLinesParams.Line;
}

export interface LineChunk {
  /** Stands for exactly these lines in the idempotency key: the same lines have the same key in every run. */
  readonly digest: string;
  readonly lines: readonly StripeLine[];
}

/** Stripe's bound for one invoice. */
export const stripeLinesMax = 250;
const chunkSizeMax = 100;
const descriptionLengthMax = 500;
/** The id of the line that stands for all that do not fit. */
export const restLineId = 'rest';

/** The document's lines as Stripe takes them. Those that do not fit are one last line with their sum: what is owed is exact, our document has the detail. */
export function toStripeLines(document: InvoiceDocument): Step<StripeLine[]> {
  const lines: StripeLine[] = [];
  for (const line of fold(document.lines)) {
    const amount = toStripeAmount(line.amountMinor, document);
    if (amount === null) {
      return { ok: false, failure: refusal('amount_not_payable', `Stripe has no number for the ${document.currency} amount of line ${line.id}.`) };
    }
    lines.push({ id: line.id, amount, params: lineParams(line, amount) });
  }
  return { ok: true, value: lines };
}

function fold(lines: readonly DocumentLine[]): readonly DocumentLine[] {
  if (lines.length <= stripeLinesMax) return lines;
  const rest = lines.slice(stripeLinesMax - 1);
  const amountMinor = rest.reduce((sum, line) => sum + line.amountMinor, 0n);
  return [...lines.slice(0, stripeLinesMax - 1), { id: restLineId, description: `${rest.length} further lines`, amountMinor, period: null }];
}

/** The whole amount in one integer: a quantity times a unit amount would be rounded by Stripe's rules, not by ours. */
function lineParams(line: DocumentLine, amount: number): Stripe.InvoiceAddLinesParams.Line {
  return {
    amount,
    description: line.description.slice(0, descriptionLengthMax),
    discountable: false,
    metadata: { [metadataKeys.line]: line.id },
    ...(line.period === null ? {} : { period: { start: seconds(line.period.start), end: seconds(line.period.end) } }),
  };
}

function seconds(instant: Temporal.Instant): number {
  return Math.floor(instant.epochMilliseconds / 1000);
}

/** What is still to be sent, cut at places that depend on the document alone. Lines that are not ours, or not as we sent them, end the run. */
export function planLines(wanted: readonly StripeLine[], present: readonly Stripe.InvoiceLineItem[]): Step<LineChunk[]> {
  const amounts = new Map(wanted.map((line) => [line.id, line.amount]));
  const seen = new Set<string>();
  for (const line of present) {
    const id = line.metadata[metadataKeys.line];
    if (id === undefined || amounts.get(id) !== line.amount || seen.has(id)) {
      return { ok: false, failure: refusal('lines_differ', `Stripe's line ${line.id} (${id ?? 'without our id'}, ${line.amount}) is not one that we sent once.`) };
    }
    seen.add(id);
  }
  const chunks: LineChunk[] = [];
  for (let from = 0; from < wanted.length; from += chunkSizeMax) {
    const lines = wanted.slice(from, from + chunkSizeMax).filter((line) => !seen.has(line.id));
    if (lines.length > 0) chunks.push({ digest: digestOf(lines), lines });
  }
  return { ok: true, value: chunks };
}

function digestOf(lines: readonly StripeLine[]): string {
  return createHash('sha256').update(lines.map((line) => line.id).join('\n')).digest('hex').slice(0, 16);
}
