import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Percentage } from '../catalog/model.js';
import { decimal, toPlain } from '../money/decimal.js';
import { chargeEvents, noEventsYet } from './charge-events.js';
import { ratePercentage } from './rate-percentage.js';

type Terms = Omit<Percentage, 'type'>;
const model = (terms: Terms): Percentage => ({ type: 'percentage', ...terms });
const charge = (terms: Terms, values: readonly string[]) => chargeEvents(noEventsYet, values.map(decimal), model(terms));

// Goal: which events are free, and what the others cost. Method: short rows of events in the order of their time; each
// amount's sum in its comment, 10% so that a value's cost is seen at once.
describe('chargeEvents', () => {
  const rows: [string, Terms, string[], string][] = [
    ['nothing', { rate: '10' }, [], '0'],
    ['an event of 0', { rate: '10', fixed_amount: '5' }, ['0'], '0'],
    ['a negative event', { rate: '10', fixed_amount: '5' }, ['-7'], '0'],
    ['one event', { rate: '2.9', fixed_amount: '0.30' }, ['100'], '3.2'], // 2.9 + 0.3
    ['the fixed amount once for each', { rate: '10', fixed_amount: '1' }, ['10', '20'], '5'], // 1+1 + 2+1
    ['the smallest event', { rate: '10' }, ['0.000000000000000001'], '0.0000000000000000001'],
    ['a large event', { rate: '2.9' }, ['99999999999999999999'], '2899999999999999999.971'], // (10^20 − 1) × 0.029
    ['10^12 at a tiny rate', { rate: '0.0000001' }, ['1000000000000'], '1000'], // 10^12 × 10^-9
    ['a refund beside a payment', { rate: '10' }, ['50', '-80'], '5'], // The refund costs 0 and takes nothing back.
    ['rate 0 with a fixed amount', { rate: '0', fixed_amount: '0.25' }, ['1', '2', '3', '4'], '1'],
    ['null and 0 are not given', { rate: '10', fixed_amount: null, free_events: 0, free_amount: '0', minimum_per_event: '0', maximum_per_event: null }, ['30'], '3'],
    ['two free events', { rate: '10', free_events: 2 }, ['100', '200', '30', '40'], '7'], // 3 + 4
    ['free events, none left over', { rate: '10', free_events: 5 }, ['100', '200'], '0'],
    ['events that are not positive use no allowance', { rate: '10', free_events: 1 }, ['0', '-5', '100', '30'], '3'],
    ['a free value not reached', { rate: '10', free_amount: '100' }, ['60', '39.99'], '0'],
    ['a free value just reached', { rate: '10', free_amount: '100' }, ['60', '40'], '0'],
    ['… and then ended', { rate: '10', free_amount: '100' }, ['60', '40', '5'], '0.5'],
    ['what is left of it comes off the first charged', { rate: '10', free_amount: '100' }, ['60', '50'], '1'], // 110 − 100 = 10 charged
    ['… and off no other', { rate: '10', free_amount: '100' }, ['60', '50', '20'], '3'], // 1 + 2
    ['the first event above it', { rate: '10', free_amount: '100' }, ['250'], '15'], // 150 charged
    ['the fixed amount is whole on a reduced event', { rate: '10', fixed_amount: '2', free_amount: '100' }, ['101'], '2.1'], // 0.1 + 2
    ['a small event after the allowance ended is charged', { rate: '10', free_amount: '100' }, ['90', '20', '1'], '1.1'], // 10 and 1 charged
    ['events run out first: nothing is left over', { rate: '10', free_events: 1, free_amount: '100' }, ['10', '20'], '2'],
    ['value runs out first: its rest counts', { rate: '10', free_events: 3, free_amount: '100' }, ['90', '20'], '1'], // 20 − 10
    ['both run out at once: no rest', { rate: '10', free_events: 1, free_amount: '100' }, ['90', '20'], '2'],
    ['the first charged ends both', { rate: '10', free_events: 5, free_amount: '100' }, ['90', '20', '3'], '1.3'], // 10 and 3 charged
    ['a minimum for each event', { rate: '10', minimum_per_event: '0.50' }, ['1', '4.99', '5', '6'], '2.1'], // 0.5 + 0.5 + 0.5 + 0.6
    ['a maximum for each event', { rate: '10', maximum_per_event: '2' }, ['19.99', '20', '500'], '5.999'], // 1.999 + 2 + 2
    ['bounds after the fixed amount', { rate: '10', fixed_amount: '1', minimum_per_event: '2', maximum_per_event: '3' }, ['5', '15', '100'], '7.5'], // 1.5→2, 2.5, 11→3
    ['a free event has no minimum', { rate: '10', free_events: 1, minimum_per_event: '9' }, ['1', '1'], '9'],
    ['a reduced event has one', { rate: '10', free_amount: '100', minimum_per_event: '9' }, ['101'], '9'],
    ['equal bounds', { rate: '10', minimum_per_event: '1', maximum_per_event: '1' }, ['1', '1000'], '2'],
  ];
  it.each(rows)('%s', (_name, terms, values, amount) => {
    const charged = charge(terms, values);
    expect(toPlain(charged.amount)).toBe(amount);
    expect(charged.freeEvents + charged.chargedEvents).toBe(values.filter((value) => decimal(value).gt(0)).length);
  });

  it('keeps the sum of all values as the quantity', () => {
    expect(toPlain(charge({ rate: '10', free_events: 1 }, ['100', '-30', '0.5']).quantity)).toBe('70.5');
  });

  it('gives the same however the events are cut into calls', () => {
    const cents = fc.integer({ min: -500, max: 20_000 }).map((n) => decimal((n / 100).toFixed(2)));
    const given = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
    const amount = fc.integer({ min: 0, max: 300 }).map(String);
    const terms = fc.record({ rate: fc.constantFrom('0', '2.9', '10'), fixed_amount: given(amount), free_events: given(fc.integer({ min: 0, max: 5 })), free_amount: given(amount), maximum_per_event: given(amount) });
    fc.assert(fc.property(terms, fc.array(cents, { maxLength: 30 }), fc.integer({ min: 0, max: 30 }), (chosen, values, cut) => {
      const whole = chargeEvents(noEventsYet, values, model(chosen));
      const parts = chargeEvents(chargeEvents(noEventsYet, values.slice(0, cut), model(chosen)), values.slice(cut), model(chosen));
      expect(parts).toEqual(whole);
    }));
  });

  it('says what was free and what was charged', () => {
    const terms: Terms = { rate: '2.9', fixed_amount: '0.30', free_events: 1, minimum_per_event: '1', maximum_per_event: '20' };
    const charged = charge(terms, ['10', '100', '50']);
    expect(ratePercentage(charged.quantity, charged, model(terms))[0]?.words()).toEqual({
      detail: '1 event of 10 free, 2 events charged: 150 × 2.9% + 0.3 each, each at least 1, each at most 20',
      values: { free_events: '1', free_value: '10', charged_events: '2', charged_value: '150', rate: '2.9', fixed_amount: '0.3', minimum_per_event: '1', maximum_per_event: '20' },
    });
  });
});
