import { decimal, rateAmountMinor, ratePrice } from '#domain';
import type { Decimal, RateablePrice, RatePriceInput } from '#domain';
import type { Bench } from '../bench.ts';
import { ownCpuSeconds } from '../processes.ts';
import { comparisonReading } from '../reading.ts';
import { alternate, type Side } from '../rounds.ts';
import { bareModelOf, bareSum } from './rating-floor.ts';

// Price lines of eight models, without words and with their trace, against the same sums in a bare loop over the same
// decimals. A line goes from a price as it is stored and a metered quantity to the posted amount.

const linesPerModel = { short: 4_000, long: 20_000 } as const;

/** The models that most plans have. */
export const commonModels: readonly RateablePrice['model'][] = [
  { type: 'flat', amount: '49.00' },
  { type: 'per_unit', unit_amount: '0.0023' },
  { type: 'package', package_size: '1000', package_amount: '5' },
  { type: 'graduated', tiers: [{ up_to: '1000', unit_amount: '0.01', flat_amount: '3' }, { up_to: '20000', unit_amount: '0.0075' }, { up_to: null, unit_amount: '0.005' }] },
  { type: 'volume', tiers: [{ up_to: '1000', unit_amount: '0.012', flat_amount: '10' }, { up_to: '20000', unit_amount: '0.009' }, { up_to: null, unit_amount: '0.0061' }] },
];

/** Every model that a quantity alone can be priced by. */
const models: readonly RateablePrice['model'][] = [
  ...commonModels,
  { type: 'stairstep', tiers: [{ up_to: '1000', amount: '10' }, { up_to: '20000', amount: '150' }, { up_to: null, amount: '999' }] },
  { type: 'graduated_percentage', tiers: [{ up_to: '1000', rate: '2', flat_amount: '1' }, { up_to: '20000', rate: '1.5' }, { up_to: null, rate: '1' }] },
  { type: 'matrix', dimensions: ['region'], cells: [{ when: { region: 'eu' }, model: { type: 'per_unit', unit_amount: '0.02' } }], default: { type: 'per_unit', unit_amount: '0.01' } },
];

export const rating: Bench = {
  name: 'rating',
  async run({ isShort, rounds }) {
    const quantities = quantitiesOf(isShort ? linesPerModel.short : linesPerModel.long);
    const silent = await alternate({ ours: ourSide(quantities, rateAmountMinor), floor: floorSide(quantities) }, rounds);
    const traced = await alternate({ ours: ourSide(quantities, (input) => ratePrice(input).amountMinor), floor: floorSide(quantities) }, rounds);
    return [
      comparisonReading(silent, { name: 'rating', unit: 'lines/s', goal: 'at least 0.5' }),
      comparisonReading(traced, { name: 'rating with trace', unit: 'lines/s', goal: 'at least 0.25' }),
    ];
  },
};

function ourSide(quantities: readonly Decimal[], rate: (input: RatePriceInput) => bigint): Side {
  const sums = new Map<number, bigint>();
  const inputs = models.map((model) => {
    const price: RateablePrice = { type: 'usage', model };
    return quantities.map((quantity): RatePriceInput => ({ price, currency: 'USD', rounding: 'half_away_from_zero', usage: [{ group: {}, quantity }] }));
  });
  return {
    run: async () => {
      for (const [index, ofModel] of inputs.entries()) {
        let sum = 0n;
        for (const input of ofModel) sum += rate(input);
        sums.set(index, sum);
      }
      return models.length * quantities.length;
    },
    answer: async () => [...sums.values()].join(' '),
    cpuSeconds: ownCpuSeconds,
  };
}

function floorSide(quantities: readonly Decimal[]): Side {
  const bare = models.map(bareModelOf);
  let sums: bigint[] = [];
  return {
    run: async () => {
      sums = bare.map((model) => bareSum(model, quantities));
      return models.length * quantities.length;
    },
    answer: async () => sums.join(' '),
    cpuSeconds: ownCpuSeconds,
  };
}

/** From nothing to half a million, whole ones and fractions, spread over all tiers. */
function quantitiesOf(count: number): Decimal[] {
  return Array.from({ length: count }, (_, index) => {
    const whole = (index * 7_919) % (index % 3 === 0 ? 900 : index % 3 === 1 ? 20_000 : 500_000);
    return decimal(index % 4 === 0 ? `${whole}.${1 + (index % 999)}5` : `${whole}`);
  });
}
