import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decimal, sumOf, toPlain } from '../money/decimal.js';
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
