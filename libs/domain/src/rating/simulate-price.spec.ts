import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Aggregation } from '../metering/meter.js';
import { simulatedHoursFaults, type Simulation, simulatePrice, simulationFaults, simulationSchema } from './simulate-price.js';

const price: Simulation['price'] = { type: 'usage', model: { type: 'per_unit', unit_amount: '0.01' } };

describe('simulatePrice', () => {
  it('answers with text: the posted amount in the currency\'s digits, the others shortest', () => {
    expect(simulatePrice({ price, currency: 'USD', quantity: '1234.50' }, { rounding: 'half_away_from_zero' })).toEqual({
      amount: '12.35',
      unrounded_amount: '12.345',
      quantity: '1234.5',
      trace: [
        { step: 'quantity', detail: '1234.5 metered', values: {}, quantity: '1234.5', amount: '0', adds: '0' },
        { step: 'model', detail: '1234.5 × 0.01 = 12.345', values: { unit_amount: '0.01' }, quantity: '1234.5', amount: '12.345', adds: '12.345' },
      ],
    });
  });

  it.each([
    ['USD', '0', '0.00', '0'],
    ['USD', '-3', '0.00', '0'],
    ['JPY', '1250', '13', '12.5'],
    ['BHD', '123', '1.230', '1.23'],
    ['USD', '1e12', '10000000000.00', '10000000000'],
  ])('%s %s is %s', (currency, quantity, amount, unrounded) => {
    expect(simulatePrice({ price, currency, quantity }, { rounding: 'half_away_from_zero' })).toMatchObject({ amount, unrounded_amount: unrounded });
  });

  it.each<[Aggregation | undefined, string]>([
    [undefined, '7.5'], // Summed: 2 + 2.0 + 3.5
    ['sum', '7.5'],
    ['count', '3'],
    ['min', '2'],
    ['max', '3.5'],
    ['avg', '2.5'],
    ['unique_count', '2'], // 2 and 2.0 are one number.
    ['latest', '3.5'],
    ['percentile', '2.75'], // The 75th of 2, 2, 3.5 lies 1.5 places behind the first.
  ])('aggregates events by %s', (aggregation, quantity) => {
    const events = [{ value: '2' }, { value: '2.0' }, { value: '3.5' }];
    const meter = aggregation === undefined ? {} : { meter: { aggregation, percentile: aggregation === 'percentile' ? '75' : null } };
    expect(simulatePrice({ price, currency: 'USD', events }, { rounding: 'half_even', ...meter }).quantity).toBe(quantity);
  });

  it('has unit-hours of values and of how long they last', () => {
    const events = [{ value: '10', hours: '12' }, { value: '4', hours: '0.25' }, { value: '0', hours: '700' }];
    const meter = { aggregation: 'time_weighted_sum' as const, percentile: null };
    expect(simulatePrice({ price, currency: 'USD', events }, { rounding: 'half_even', meter }).quantity).toBe('121');
    expect(simulatedHoursFaults({ price, currency: 'USD', events: [{ value: '10' }, { value: '1', hours: '1' }] }, meter).map(({ pointer, code }) => `${pointer} ${code}`)).toEqual(['/events/0/hours missing_field']);
    expect(simulatedHoursFaults({ price, currency: 'USD', events, earlier: { events } }, { aggregation: 'sum', percentile: null }).map(({ pointer, code }) => `${pointer} ${code}`)).toEqual([
      '/events/0/hours not_allowed', '/events/1/hours not_allowed', '/events/2/hours not_allowed', '/earlier/events/0/hours not_allowed', '/earlier/events/1/hours not_allowed', '/earlier/events/2/hours not_allowed']);
    expect(simulationFaults({ price, currency: 'USD', events: [{ value: '1', hours: '-1' }] }).map(({ pointer, code }) => `${pointer} ${code}`)).toEqual(['/events/0/hours number_out_of_range']);
  });

  it('has twelve digits after the point in an average', () => {
    const events = [{ value: '1' }, { value: '0' }, { value: '0' }];
    expect(simulatePrice({ price, currency: 'USD', events }, { rounding: 'half_even', meter: { aggregation: 'avg', percentile: null } }).quantity).toBe('0.333333333333');
  });

  it('aggregates within each group of the price', () => {
    const grouped = { ...price, group_by: ['region'], included_units: '100' };
    const events = [
      { value: '150', group: { region: 'eu' } },
      { value: '50', group: { region: 'eu', ignored: 'x' } },
      { value: '90', group: { region: 'us' } },
    ];
    // eu 200 − 100 = 100 × 0.01; us is included.
    expect(simulatePrice({ price: grouped, currency: 'USD', events }, { rounding: 'half_even' })).toMatchObject({ amount: '1.00', quantity: '290' });
  });

  it('leaves out what is exempt', () => {
    const quality = { ...price, exempt: 'data.status >= 500' };
    const events = [{ value: '100', data: { status: 200 } }, { value: '200', data: { status: 503 } }, { value: '300', data: {} }, { value: '400' }];
    // What is unknown is no match: 100 + 300 + 400.
    expect(simulatePrice({ price: quality, currency: 'USD', events }, { rounding: 'half_even' })).toMatchObject({
      amount: '8.00', trace: [{ step: 'quantity', detail: '800 metered, without the events for which "data.status >= 500" holds' }, { step: 'model' }],
    });
  });

  it('prices each hour by itself, whatever the order of the events', () => {
    const hourly: Simulation['price'] = { type: 'usage', bucket: 'hour', model: { type: 'volume', tiers: [{ up_to: '10', unit_amount: '2' }, { up_to: null, unit_amount: '1' }] } };
    const events = [{ value: '8', time: '2027-01-01T11:59:59.999Z' }, { value: '6', time: '2027-01-01T12:00:00Z' }, { value: '4', time: '2027-01-01T11:00:00Z' }];
    // 11:00: 12 × 1; 12:00: 6 × 2.
    expect(simulatePrice({ price: hourly, currency: 'USD', events }, { rounding: 'half_even' }).amount).toBe('24.00');
    expect(simulationFaults({ price: hourly, currency: 'USD', events: [{ value: '1' }, { value: '1', time: 'noon' }] }).map(({ pointer, code }) => [pointer, code])).toEqual([
      ['/events/0/time', 'missing_field'], ['/events/1/time', 'invalid_time'],
    ]);
    // Where Temporal's range ends there is no whole day around an instant any more, and a leap second is none of an event either.
    const strange = ['-271821-04-20T00:00:00Z', '+275760-09-13T00:00:00Z', '1999-12-31T23:59:59Z', '2027-01-01T00:00:60Z', '2027-01-01T00:00:00Z[Europe/Berlin]', '2027-02-30T00:00:00Z', '2027-01-01T00:00:00'];
    expect(simulationFaults({ price: hourly, currency: 'USD', events: strange.map((time) => ({ value: '1', time })) }).map(({ pointer, code }) => `${pointer} ${code}`)).toEqual(
      strange.map((_, index) => `/events/${index}/time invalid_time`));
    expect(simulatePrice({ price: hourly, currency: 'USD', quantity: '12' }, { rounding: 'half_even' }).amount).toBe('12.00');
  });

  it('rates no events as nothing', () => {
    expect(simulatePrice({ price, currency: 'USD', events: [] }, { rounding: 'half_even' })).toMatchObject({ amount: '0.00', quantity: '0' });
  });
});

describe('simulationFaults', () => {
  it('names every fault at once', () => {
    const simulation: Simulation = {
      price: { type: 'usage', model: { type: 'per_unit', unit_amount: '-1' }, minimum_amount: '2', maximum_amount: '1' },
      currency: 'usd',
      quantity: '1',
      events: [{ value: '1' }, { value: 'much' }, { value: '1e40' }],
    };
    expect(simulationFaults(simulation).map(({ pointer, code }) => [pointer, code])).toEqual([
      ['/price/model/unit_amount', 'negative_amount'],
      ['/price/minimum_amount', 'minimum_above_maximum'],
      ['/currency', 'unknown_currency'],
      ['/quantity', 'not_allowed'],
      ['/events/1/value', 'invalid_decimal'],
      ['/events/2/value', 'number_out_of_range'],
    ]);
  });

  it('takes a price without meter, name and key, and a negative quantity, but not nothing', () => {
    expect(simulationFaults({ price, currency: 'USD', quantity: '-1' })).toEqual([]);
    expect(simulationFaults({ price, currency: 'USD' }).map(({ pointer, code }) => [pointer, code])).toEqual([['/quantity', 'missing_field']]);
  });

  it('has a schema that can be published', () => {
    expect(z.toJSONSchema(simulationSchema)).toMatchObject({ type: 'object', required: ['price', 'currency'], additionalProperties: false });
  });
});
