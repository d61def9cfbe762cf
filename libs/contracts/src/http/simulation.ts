import { z } from 'zod';

/** How an amount came about, here and on invoices. */
export const traceSchema = z
  .array(
    z.object({
      step: z.string().meta({ description: 'Stable name of the step.' }),
      detail: z.string().meta({ description: 'The step as an English sentence.' }),
      values: z.record(z.string(), z.string()).meta({ description: 'The numbers of that sentence by stable names, for who writes it in another language.' }),
      quantity: z.string(),
      amount: z.string(),
      adds: z.string().meta({ description: 'What the step adds to the amount; over all steps it sums to the unrounded amount.' }),
    }).meta({ id: 'TraceStep' }),
  )
  .meta({ description: 'Each step with the numbers after it; the last amount is the unrounded one.' });

/** The answer of `POST /v1/pricing/simulate`. */
export const simulatedPriceSchema = z.object({
  amount: z.string().meta({ description: 'Rounded once, with the digits of the currency.' }),
  unrounded_amount: z.string(),
  quantity: z.string(),
  trace: traceSchema,
});
