import { z } from 'zod';
import { breakEvenQuestionFields, checkedBesideShape, priceFaults, simulatedPriceSchema } from '#domain';
import { planOrReferenceSchema, versionOfPlanSchema } from './backtest.js';
import { cheaperFields } from './cheaper-fields.js';

const comparedSchema = z
  .strictObject({
    plan: planOrReferenceSchema.optional(),
    version: versionOfPlanSchema.optional(),
    price: checkedBesideShape(simulatedPriceSchema, (price) => priceFaults(price, '', { meterOptional: true })).optional().meta({ description: 'A price by itself; key, name and meter may be left out.' }),
  })
  .refine(({ plan, price }) => (plan === undefined) !== (price === undefined), 'Give a plan or a price, and only one of them.')
  .meta({ id: 'ComparedTerms' });

/** `POST /v1/pricing/break-even`. */
export const breakEvenSchema = z.strictObject({ a: comparedSchema, b: comparedSchema, ...breakEvenQuestionFields });

export const breakEvenBodySchema = z.object({
  object: z.literal('break_even'),
  currency: z.string(),
  meter: z.string().nullable().meta({ description: 'The key of the meter that varies; null where no price names one.' }),
  step: z.string().meta({ description: 'The quantities that are compared are its multiples.' }),
  from_quantity: z.string(),
  to_quantity: z.string().nullable(),
  ...cheaperFields,
});

export type BreakEvenRequest = z.infer<typeof breakEvenSchema>;
export type BreakEvenBody = z.infer<typeof breakEvenBodySchema>;
