import { z } from 'zod';
import { breakEvenQuestionFields, checkedSchema, priceFaults, simulatedPriceSchema } from '#domain';
import { planOrReferenceSchema, versionOfPlanSchema } from './backtest.js';

const comparedSchema = z
  .strictObject({
    plan: planOrReferenceSchema.optional(),
    version: versionOfPlanSchema.optional(),
    price: checkedSchema(simulatedPriceSchema, (price) => priceFaults(price, '', { meterOptional: true })).optional().meta({ description: 'A price by itself; key, name and meter may be left out.' }),
  })
  .refine(({ plan, price }) => (plan === undefined) !== (price === undefined), 'Give a plan or a price, and only one of them.')
  .meta({ id: 'ComparedTerms' });

/** `POST /v1/pricing/break-even`. */
export const breakEvenSchema = z.strictObject({ a: comparedSchema, b: comparedSchema, ...breakEvenQuestionFields });

const cheaper = z.enum(['a', 'b', 'same']);
const sideAmounts = z.object({
  amount: z.string().meta({ description: 'As it would be posted: each price rounded once.' }),
  unrounded_amount: z.string(),
}).meta({ id: 'SideAmounts' });
const sideOfPoint = z.object({ cheaper, quantity: z.string(), a: sideAmounts, b: sideAmounts }).meta({ id: 'SideOfPoint' });

export const breakEvenBodySchema = z.object({
  object: z.literal('break_even'),
  currency: z.string(),
  meter: z.string().nullable().meta({ description: 'The key of the meter that varies; null where no price names one.' }),
  step: z.string().meta({ description: 'The quantities that are compared are its multiples.' }),
  from_quantity: z.string(),
  to_quantity: z.string().nullable(),
  ranges: z
    .array(z.object({ from: z.string(), to: z.string().nullable().meta({ description: 'Null has no end.' }), cheaper }))
    .meta({ description: 'Which one costs less by the unrounded amounts; both ends are included, and each step lies in one range.' }),
  points: z
    .array(z.object({
      before: sideOfPoint.meta({ description: 'At the last quantity of a range.' }),
      after: sideOfPoint.meta({ description: 'At the first of the next.' }),
      by: z.enum(['crossing', 'jump']).meta({ description: 'Whether the amounts meet there, or one of them leaps: a package, a stair, a tier.' }),
    }))
    .meta({ description: 'One between each two ranges.' }),
});

export type BreakEvenRequest = z.infer<typeof breakEvenSchema>;
export type BreakEvenBody = z.infer<typeof breakEvenBodySchema>;
