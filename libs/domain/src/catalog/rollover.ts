import { z } from 'zod';
import type { CatalogFault } from './catalog-fault.js';
import { decimalFaults } from './decimal-faults.js';
import { decimalTextSchema } from './model.js';

/** Included units that a period leaves unused are there in the next one too, after its own; then they are gone. */
export const rolloverSchema = z.strictObject({
  /** Converted units of one group that roll over at most; left out, all that were included. */
  maximum_units: decimalTextSchema.optional(),
});

export type Rollover = z.infer<typeof rolloverSchema>;

/** What is wrong with a rollover at its pointer. */
export function rolloverFaults(rollover: Rollover | undefined, of: { readonly isUsage: boolean; readonly includesUnits: boolean; readonly pointer: string }): CatalogFault[] {
  if (rollover === undefined) return [];
  const { pointer } = of;
  const faults = decimalFaults({ text: rollover.maximum_units, pointer: `${pointer}/maximum_units`, kind: 'quantity', aboveZero: true });
  if (!of.isUsage) return [...faults, { pointer, code: 'not_allowed', detail: 'Only usage leaves included units unused; remove rollover or set type to "usage".' }];
  if (of.includesUnits) return faults;
  return [...faults, { pointer, code: 'missing_field', detail: 'Only included units roll over; give included_units or remove rollover.' }];
}
