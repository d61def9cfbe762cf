import { z } from 'zod';

const cheaper = z.enum(['a', 'b', 'same']);
const sideAmounts = z.object({
  amount: z.string().meta({ description: 'As it would be posted: each price rounded once.' }),
  unrounded_amount: z.string(),
}).meta({ id: 'SideAmounts' });
const sideOfPoint = z.object({ cheaper, quantity: z.string(), a: sideAmounts, b: sideAmounts }).meta({ id: 'SideOfPoint' });

/** Who is cheaper between which quantities, and what both cost where that changes. */
export const cheaperFields = {
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
};
