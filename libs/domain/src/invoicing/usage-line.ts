import type { Decimal } from '../money/decimal.js';
import type { Period } from '../period/period.js';
import type { TraceStep } from '../rating/trace.js';
import type { InvoiceLine, LineUsageProof } from './invoice-line.js';

/** One price (or one group of one price) as rating left it. */
export interface RatedUsage {
  readonly priceId: string;
  readonly priceKey: string;
  readonly ref: string;
  readonly description: string;
  readonly quantity: Decimal;
  readonly unroundedAmount: Decimal;
  readonly amountMinor: bigint;
  readonly groupValues: Readonly<Record<string, string>>;
  readonly trace: readonly TraceStep[];
  readonly usage?: LineUsageProof | undefined;
}

/** A line of usage, shown also where it costs nothing. */
export function usageLine(rated: RatedUsage, period: Period): InvoiceLine {
  return { ...rated, ref: `usage:${rated.priceId}:${rated.ref}`, kind: 'usage', period };
}
