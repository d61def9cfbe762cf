import { z } from 'zod';
import type { CatalogFault } from './catalog-fault.js';
import { decimalFaults } from './decimal-faults.js';
import { decimalTextSchema } from './model.js';

/** What happens to usage that is counted after its period's invoice was issued, as it is sent. */
export const lateUsageSchema = z.strictObject({
  policy: z.enum(['next_invoice', 'credit_or_debit_note', 'absorb']).optional(),
  /** Major units of the plan's currency. Positive adjustments of a price below it are dropped. */
  absorb_below: decimalTextSchema.optional(),
});

/** `next_invoice` bills it on the subscription's next document; `absorb` drops what the customer would owe, and never what is owed to him. */
export interface LateUsage {
  readonly policy: 'next_invoice' | 'absorb';
  readonly absorb_below?: string | undefined;
}

export const lateUsageDefault: LateUsage = { policy: 'next_invoice' };

export function lateUsageFaults(lateUsage: z.infer<typeof lateUsageSchema> | undefined): CatalogFault[] {
  if (lateUsage === undefined) return [];
  const faults = decimalFaults({ text: lateUsage.absorb_below, pointer: '/late_usage/absorb_below', kind: 'amount', aboveZero: true });
  if (lateUsage.policy !== 'credit_or_debit_note') return faults;
  const detail = 'Late usage can not be settled by documents of its own yet; choose "next_invoice" or "absorb".';
  return [{ pointer: '/late_usage/policy', code: 'not_supported', detail }, ...faults];
}
