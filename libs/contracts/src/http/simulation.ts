import { z } from 'zod';

/** The answer of `POST /v1/pricing/simulate`. */
export const simulatedPriceSchema = z.object({
  amount: z.string().meta({ description: 'Rounded once, with the digits of the currency.' }),
  unrounded_amount: z.string(),
  quantity: z.string(),
  trace: z.array(z.object({ step: z.string(), detail: z.string(), quantity: z.string(), amount: z.string() })).meta({ description: 'Each step with the numbers after it; the last amount is the unrounded one.' }),
});
