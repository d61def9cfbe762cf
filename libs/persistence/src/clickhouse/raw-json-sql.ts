import { numberMark } from './stored-data.js';

/** Bytes of the mark in UTF-8. */
const markBytes = 3;

/** A string's own text, from JSON text that is a string: one mark less where it begins with one. */
export function stringText(raw: string): string {
  const text = `if(position(${raw}, '\\\\') = 0, substring(${raw}, 2, length(${raw}) - 2), JSONExtractString(${raw}))`;
  return `substring(${text}, if(startsWith(${raw}, '"${numberMark}'), ${markBytes + 1}, 1))`;
}

/** Whether JSON text is a string that the sender sent, not a marked number. */
export function isString(raw: string): string {
  return `(startsWith(${raw}, '"') AND (NOT startsWith(${raw}, '"${numberMark}') OR startsWith(${raw}, '"${numberMark}${numberMark}')))`;
}

/** The digits of JSON text that is a number, marked or not; anything else stays as it is, and is no digits. */
export function exactNumber(raw: string): string {
  return `if(startsWith(${raw}, '"${numberMark}') AND NOT startsWith(${raw}, '"${numberMark}${numberMark}'), ${stringText(raw)}, ${raw})`;
}

/** The digits of a number or of a decimal string. */
export function decimalText(raw: string): string {
  return `if(startsWith(${raw}, '"'), ${stringText(raw)}, ${raw})`;
}

/** `digits` is said three times, so it should be a name. Nullable Decimal(76, 18) of digits within the bounds of a quantity. Trailing zeros are within them, however many: they are cut without loss. */
export function quantity(digits: string): string {
  return `if(match(${digits}, '^-?0*[0-9]{1,20}(\\\\.[0-9]{1,18}0*)?$') AND length(${digits}) <= 1000, toDecimal256OrNull(${digits}, 18), NULL)`;
}
