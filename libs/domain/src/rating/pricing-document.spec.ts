import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decimal, sumOf, toPlain } from '../money/decimal.js';
import { breakEven } from './break-even/break-even.js';
import { breakEvenQuestionFields } from './break-even/break-even-question.js';
import { z } from 'zod';
import { simulatedPriceSchema } from '../catalog/price.js';
import { type Simulation, simulatePrice, simulationFaults, simulationSchema } from './simulate-price.js';

// Goal: docs/pricing.md says what is billed. Method: each row of it that has a price is simulated.
const document = readFileSync(new URL('../../../../docs/pricing.md', import.meta.url), 'utf8');
const row = /^\| `(\{.*\})` \| `(.+?)` \| `(?:([A-Z]{3}) )?(-?[\d.]+)` \| .* \|$/gm;
const examples = [...document.matchAll(row)].map(([, price = '', used = '', currency = 'USD', amount = '']) => ({ price, used, currency, amount }));

describe('docs/pricing.md', () => {
  it('has examples of every model and of what stands around it', () => {
    expect(examples.length).toBe(document.split('\n').filter((line) => line.startsWith('| `{')).length);
    expect(examples.length).toBeGreaterThanOrEqual(54);
  });

  it.each(examples)('$price of $used costs $amount $currency', ({ price, used, currency, amount }) => {
    const usage = used.startsWith('[') ? { events: JSON.parse(used) as unknown } : used.startsWith('{') ? (JSON.parse(used) as object) : { quantity: used };
    const simulation: Simulation = simulationSchema.parse({ price: { type: 'usage', ...(JSON.parse(price) as object) }, currency, ...usage });
    expect(simulationFaults(simulation)).toEqual([]);
    const simulated = simulatePrice(simulation, { rounding: 'half_away_from_zero' });
    expect(simulated.amount).toBe(amount);
    expect(simulated.trace.at(-1)?.amount).toBe(simulated.unrounded_amount);
    expect(toPlain(sumOf(simulated.trace, (step) => decimal(step.adds)))).toBe(simulated.unrounded_amount);
  });
});

describe('docs/pricing.md, the trace', () => {
  const steps = new Map<string, Set<string>>();
  for (const [, names = '', values = ''] of document.matchAll(/^\| (`[a-z_]+`[^|]*|`tier-1`[^|]*) \| [^|`]*(?:`[a-z_]+`[^|`]*)* \| ((?:`[a-z_]+` ?)+)\|$/gm)) {
    for (const name of [...names.matchAll(/`([a-z_]+)(?:-\d+)?`/g)].map(([, step = '']) => step)) steps.set(name, new Set([...(steps.get(name) ?? ['group']), ...values.replaceAll('`', '').trim().split(' ')]));
  }

  it.each(examples)('has the steps of $price of $used, and the names of their numbers', ({ price, used, currency }) => {
    const usage = used.startsWith('[') ? { events: JSON.parse(used) as unknown } : used.startsWith('{') ? (JSON.parse(used) as object) : { quantity: used };
    const simulation: Simulation = simulationSchema.parse({ price: { type: 'usage', ...(JSON.parse(price) as object) }, currency, ...usage });
    for (const { step, values } of simulatePrice(simulation, { rounding: 'half_even' }).trace) {
      const known = steps.get(step.replace(/-\d+$/, '')) ?? new Set();
      expect(Object.keys(values).filter((name) => !known.has(name)), step).toEqual([]);
    }
  });
});

describe('docs/pricing.md, break-even points', () => {
  const sides = /^\| [^`|]+ \| `(\[.+\])` \| `(\[.+\])` \| `(\{.+\})` \| `(.+)` \|$/gm;
  const questions = [...document.matchAll(sides)].map(([, a = '', b = '', more = '', ranges = '']) => ({ a, b, more, ranges }));

  it('has examples', () => {
    expect(questions.length).toBeGreaterThanOrEqual(6);
  });

  it.each(questions)('$a against $b, with $more: $ranges', ({ a, b, more, ranges }) => {
    const { usage: _usage, quantities: _quantities, ...asked } = z.strictObject(breakEvenQuestionFields).parse({ currency: 'USD', ...(JSON.parse(more) as object) });
    const side = (prices: string) => ({ prices: z.array(simulatedPriceSchema).parse(JSON.parse(prices)), plan: null, pointer: '/a', pointerOf: () => '/a' });
    const answer = breakEven({ ...asked, a: side(a), b: side(b), usage: new Map(), quantities: new Map(), countingMeters: new Set() }, { rounding: 'half_away_from_zero' });
    const told = answer.ok ? answer.value.ranges.map(({ from, to, cheaper }) => `${cheaper} ${to !== null && from.eq(to) ? toPlain(from) : `${toPlain(from)}..${to === null ? '' : toPlain(to)}`}`) : answer.faults.map(({ code }) => code);
    expect(told.join(' ')).toBe(ranges);
  });
});
