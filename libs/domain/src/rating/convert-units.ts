import { assert } from '../assert.js';
import type { UnitConversion } from '../catalog/price.js';
import { Decimal, divide, isBelowZero, toPlain, ZERO } from '../money/decimal.js';
import { priceDecimal } from './price-decimal.js';
import { type Note, traceStep } from './trace.js';

type Conversion = UnitConversion['rounding'];

const roundWhole: Readonly<Record<Conversion, (quantity: Decimal) => Decimal>> = {
  none: (quantity) => quantity,
  up: (quantity) => quantity.toDecimalPlaces(0, Decimal.ROUND_CEIL),
  down: (quantity) => quantity.toDecimalPlaces(0, Decimal.ROUND_FLOOR),
  nearest: (quantity) => quantity.toDecimalPlaces(0, Decimal.ROUND_HALF_UP), // A half goes up.
};

const words: Readonly<Record<Conversion, string>> = {
  none: '',
  up: ', rounded up to whole units',
  down: ', rounded down to whole units',
  nearest: ', rounded to the nearest whole unit',
};

/** Turns the meter's unit into the one that is sold: bytes into GB. The quotient has 40 significant digits; the rounding is to whole units. */
export function convertUnits(quantity: Decimal, conversion: UnitConversion, note: Note): Decimal {
  assert(!isBelowZero(quantity), 'A net negative quantity is clamped before it gets here.');
  const divideBy = priceDecimal(conversion.divide_by);
  const converted = roundWhole[conversion.rounding](divide(quantity, divideBy));
  note(() => {
    const detail = `${toPlain(quantity)} / ${toPlain(divideBy)} = ${toPlain(converted)}${words[conversion.rounding]}`;
    const values = { before: toPlain(quantity), divide_by: toPlain(divideBy), rounding: conversion.rounding };
    return traceStep({ step: 'unit_conversion', words: { detail, values }, quantity: converted, amount: ZERO });
  });
  return converted;
}
